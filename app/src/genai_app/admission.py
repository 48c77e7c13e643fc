"""The one trip to Redis that a request makes: may it proceed, and is its answer known already?"""

import time
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from genai_app import ratelimit
from genai_app.breaker import Breaker
from genai_app.metrics import Metrics
from genai_app.ratelimit import Decision, Limit
from genai_contract.metrics import CACHE_LATENCY, CACHE_OPERATIONS, RATE_LIMITED


@dataclass(frozen=True)
class Admission:
    """A request that may proceed. `decision` is None when nobody counted it; `cached` is a kept answer, if any."""

    decision: Decision | None = None
    cached: bytes | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The rate limit's headers, or none."""
        return self.decision.headers() if self.decision else {}


class Gate:
    """Admits requests. Without Redis, or while it is away, everybody is admitted and nothing is cached (fail open)."""

    def __init__(self, redis: Redis | None, breaker: Breaker | None, metrics: Metrics, *, limits: bool) -> None:
        self._redis = redis
        self._breaker = breaker
        self._metrics = metrics
        self._limits = limits
        self._digest: str | None = None

    async def admit(self, limit: Limit, subject: str, *, cache_key: str | None = None) -> Admission:
        """Count a request of `subject` and fetch what is kept under `cache_key`. Raises TooMany."""
        if self._redis is None or self._breaker is None or not (self._limits or cache_key):
            return Admission()
        started = time.perf_counter()
        admission = await self._breaker.attempt("fail-open", lambda: self._ask(limit, subject, cache_key), Admission())
        if admission.decision and not admission.decision.allowed:
            self._metrics.count(RATE_LIMITED, scope=limit.scope)
            admission.decision.enforce()
        if cache_key:
            self._count_look_up(admission, started)
        return admission

    async def _ask(self, limit: Limit, subject: str, cache_key: str | None) -> Admission:
        redis = cast("Redis", self._redis)
        if not self._limits:
            return Admission(cached=cast("bytes | None", await redis.get(cast("str", cache_key))))
        keys = [f"genai:limit:{limit.scope}:{subject}"] + ([cache_key] if cache_key else [])
        *numbers, cached = await self._run(redis, keys, ratelimit.script_arguments(limit))
        return Admission(ratelimit.decision(limit, numbers), cached)

    async def _run(self, redis: Redis, keys: list[str], arguments: tuple[int, int]) -> list[Any]:
        """By digest; the source travels only when Redis has forgotten it (a restart, a flush)."""
        if self._digest is None:
            self._digest = await redis.script_load(ratelimit.SCRIPT)
        try:
            return cast("list[Any]", await redis.evalsha(self._digest, len(keys), *keys, *arguments))
        except NoScriptError:
            return cast("list[Any]", await redis.eval(ratelimit.SCRIPT, len(keys), *keys, *arguments))

    def _count_look_up(self, admission: Admission, started: float) -> None:
        operation = "miss" if admission.cached is None else "hit"
        self._metrics.count(CACHE_OPERATIONS, operation=operation, cache_type="response")
        elapsed = (time.perf_counter() - started) * 1000
        self._metrics.observe(CACHE_LATENCY, elapsed, operation=operation, cache_type="response")
