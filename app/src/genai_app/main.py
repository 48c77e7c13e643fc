"""The composition root: builds one application from its settings, and everything that it uses when it starts."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from redis.asyncio import Redis
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from genai_app import __version__, db
from genai_app.admission import Gate
from genai_app.agents.answering import Agents, build_agents, prompts_version
from genai_app.agents.maintenance.workshop import workshop_calendar
from genai_app.auth import routes as auth_routes
from genai_app.auth.service import build_accounts
from genai_app.breaker import Breaker
from genai_app.budget import Budget, Limits
from genai_app.cache import Cache, NullCache, RedisCache
from genai_app.chat import feedback_routes, websocket
from genai_app.chat import routes as chat_routes
from genai_app.chat.connections import Connections
from genai_app.chat.feedback import Opinions
from genai_app.chat.kept_answers import KeptAnswers
from genai_app.chat.knowledge_version import KnowledgeVersion
from genai_app.chat.outcomes import Outcomes
from genai_app.chat.service import Conversations
from genai_app.chat.storing import Storing
from genai_app.chat.turn import Turns
from genai_app.errors import Refused, Unavailable
from genai_app.handoff.service import open_handoffs
from genai_app.health import routes as health_routes
from genai_app.health.checks import Checks
from genai_app.health.measuring import measuring
from genai_app.http.cors import Cors
from genai_app.http.documentation import add_documentation
from genai_app.http.edge import Edge
from genai_app.http.net import LastNet
from genai_app.http.problems import http_error, invalid_request, refused
from genai_app.http.proxies import TrustedProxies
from genai_app.llm.prices import turn_bound
from genai_app.metrics import Metrics
from genai_app.ratelimit import limits_in_force
from genai_app.redis_client import open_redis
from genai_app.semantic_cache import SemanticCache
from genai_app.settings import Settings
from genai_app.tracing.building import open_tracing
from genai_app.tracing.otel import open_provider, telemetry

LARGEST_BODY = 256 * 1024
"""Bytes; the longest message has 8,000 characters, of at most 12 bytes each as JSON."""

NO_ENDPOINT = "unmatched"
"""The metrics' endpoint of paths that no route has."""


def create_app(settings: Settings) -> FastAPI:
    """An application that connects to nothing yet: its lifespan opens and closes everything."""
    workshop_calendar(settings)  # impossible opening hours stop the start before anything is opened
    tracer_provider = open_provider(settings)
    app = FastAPI(
        title="GenAI Auto API",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs_enabled else None,
        lifespan=_lifespan,
        telemetry=telemetry(tracer_provider),
    )
    app.state.settings = settings
    app.state.tracer_provider = tracer_provider
    app.state.metrics = Metrics(__version__)
    app.state.connections = Connections(app.state.metrics)
    for routes in (health_routes, auth_routes, chat_routes, feedback_routes, websocket):
        app.include_router(routes.router)
    if settings.docs_enabled:
        add_documentation(app)
    for error in (Refused, Unavailable):
        app.add_exception_handler(error, refused)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(LastNet)
    if settings.cors_origins:
        app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(
        Edge,
        metrics=app.state.metrics,
        endpoint_of=_endpoints(app),
        largest_body=min(LARGEST_BODY, settings.max_body_bytes),
        private=settings.hidden_paths,
    )
    if settings.proxy_networks:
        app.add_middleware(TrustedProxies, networks=settings.proxy_networks)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    metrics: Metrics = app.state.metrics
    state = app.state
    async with AsyncExitStack() as opened:
        pool = await opened.enter_async_context(db.open_pool(settings))
        redis, breaker = await opened.enter_async_context(open_redis(settings, metrics))
        http = await opened.enter_async_context(httpx2.AsyncClient())
        agents = build_agents(settings=settings, pool=pool, metrics=metrics, http=http)
        await agents.warm_up()
        state.gate = Gate(
            redis, breaker, metrics, limits=settings.rate_limit_enabled, in_force=limits_in_force(settings)
        )
        state.accounts = build_accounts(settings, pool, redis, breaker)
        state.conversations = Conversations(pool)
        state.checks = Checks(settings, pool, breaker, agents.model)
        handoffs = await opened.enter_async_context(open_handoffs(settings, pool, http, metrics))
        budget = Budget(pool, metrics, Limits.from_settings(settings), turn_bound(settings))
        opened.callback(budget.close)
        await opened.enter_async_context(measuring(pool, budget, metrics))
        tracing = await opened.enter_async_context(open_tracing(settings, metrics, state.tracer_provider))
        outcomes = Outcomes(metrics)
        opened.callback(outcomes.close)
        state.opinions = Opinions(pool, metrics)
        state.turns = Turns(
            pool=pool,
            accounts=state.accounts,
            agents=agents,
            gate=state.gate,
            kept=_kept_answers(settings, KnowledgeVersion(pool), agents, metrics, redis, breaker),
            budget=budget,
            storing=Storing(pool, handoffs),
            outcomes=outcomes,
            tracing=tracing,
            threshold=settings.confidence_threshold,
        )
        yield


def _kept_answers(
    settings: Settings,
    knowledge: KnowledgeVersion,
    agents: Agents,
    metrics: Metrics,
    redis: Redis | None,
    breaker: Breaker | None,
) -> KeptAnswers:
    cache: Cache = NullCache()
    semantic = None
    caching = settings.cache_enabled and redis is not None and breaker is not None
    if caching and redis and breaker:
        cache = RedisCache(redis, breaker, settings.cache_ttl)
        if settings.cache_semantic_enabled:
            semantic = SemanticCache(redis, breaker, agents.embedder, metrics, ttl=settings.cache_ttl)
    return KeptAnswers(
        cache=cache,
        semantic=semantic,
        knowledge=knowledge,
        caching=caching,
        provider=settings.answering_provider.value,
        model=settings.llm_model,
        prompts=prompts_version(),
    )


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return invalid_request(request, error.errors())


def _endpoints(app: FastAPI) -> Callable[[str], str]:
    """A function from a path to its route's template; routes are read at the first call, when all are there."""
    plain: dict[str, str] = {}
    templates: list[tuple[re.Pattern[str], str]] = []

    def endpoint_of(path: str) -> str:
        if not plain:
            for route in iter_route_contexts(app.routes):
                template = route.path_format or route.path or ""
                if "{" in template or not template:
                    templates.append((route.path_regex, template))
                else:
                    plain[template] = template
        known = plain.get(path)
        if known is not None:
            return known
        return next((template for pattern, template in templates if pattern.match(path)), NO_ENDPOINT)

    return endpoint_of
