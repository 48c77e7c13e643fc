"""What customers get, and what is counted, when models cost money: through the API, with a scripted model server."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, running_api
from tests.app.openai_stub import OpenAIStub, Reply, chat, running_stub, streamed

pytestmark = pytest.mark.service

NOT_THE_TURNS = (
    "pg_catalog", "set_config", "UPDATE handoffs", "FROM handoffs WHERE delivery", "pg_database_size", "AS month_usd"
)  # fmt: skip
"""What the driver asks on a new connection, what sends the outbox when the turn is over, and what fills gauges."""
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.25}


@pytest.fixture
async def model_server() -> AsyncIterator[OpenAIStub]:
    """A server whose every reply costs a quarter of a dollar."""
    async with running_stub() as stub:
        stub.script = [chat("It takes 5W-30, API SN.", usage=USAGE)]
        yield stub


@asynccontextmanager
async def paying(servers: Servers, database: str, model_server: OpenAIStub, **variables: str) -> AsyncIterator[Api]:
    """An API with a paid model and a free fallback, without a cache."""
    settings = servers.settings(
        database,
        OPENROUTER_API_KEY="key",
        OPENROUTER_BASE_URL=model_server.base_url,
        EMBEDDING_PROVIDER="packaged",
        LLM_MODEL="openai/gpt-4o-mini",
        LLM_FALLBACK_MODELS="some/model:free",
        CACHE_ENABLED="false",
        **variables,
    )
    async with running_api(settings) as api:
        yield api


async def spent(api: Api) -> Decimal:
    """USD of this month."""
    [(usd,)] = await api.sql("SELECT coalesce(sum(usd), 0) FROM llm_spend WHERE period = 'month'")
    return Decimal(usd)


async def test_what_a_turn_cost_is_in_its_reply_in_the_database_and_in_the_metrics(
    servers: Servers, database: str, redis: Redis, model_server: OpenAIStub
) -> None:
    _ = redis
    async with paying(servers, database, model_server) as api:
        reply = await api.chat(await api.register())
        assert reply.json()["response"] == "It takes 5W-30, API SN."
        assert await spent(api) == Decimal("0.25")
        assert await api.sql("SELECT id FROM llm_reservations") == []
        metrics = await api.metrics()
    assert metrics["request_cost_dollars_sum"] == 0.25
    assert metrics['llm_cost_dollars_total{agent="specs",model="openai/gpt-4o-mini"}'] == 0.25
    assert metrics['llm_budget_limit_dollars{period="hour"}'] == 50


@pytest.mark.parametrize(
    ("policy", "asked", "provider"),
    [
        ("AlertOnly", "openai/gpt-4o-mini", "openrouter"),
        ("FallbackModel", "some/model:free", "openrouter"),
        ("CacheOnly", None, "offline"),
    ],
)
async def test_a_spent_budget_is_answered_as_the_policy_says(
    policy: str,
    asked: str | None,
    provider: str,
    servers: Servers,
    database: str,
    redis: Redis,
    model_server: OpenAIStub,
) -> None:
    _ = redis
    limit: Mapping[str, str] = {"LLM_BUDGET_HOURLY_LIMIT_USD": "0.2", "LLM_BUDGET_ON_LIMIT": policy}
    async with paying(servers, database, model_server, **limit) as api:
        who = await api.register()
        await api.chat(who)
        model_server.requests.clear()
        reply = await api.chat(who)
        assert reply.status_code == 200
        assert reply.json()["metadata"]["provider"] == provider
    assert [request.json["model"] for request in model_server.requests] == ([asked] if asked else [])


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({"LLM_BUDGET_HOURLY_LIMIT_USD": "0"}, 503),
        ({"LLM_BUDGET_MONTHLY_LIMIT_USD": "0"}, 503),
        ({"LLM_BUDGET_USER_HOURLY_LIMIT_USD": "0"}, 429),
    ],
)
async def test_block_refuses_with_the_time_to_come_back(
    variables: dict[str, str],
    status: int,
    servers: Servers,
    database: str,
    redis: Redis,
    model_server: OpenAIStub,
) -> None:
    _ = redis
    async with paying(servers, database, model_server, LLM_BUDGET_ON_LIMIT="Block", **variables) as api:
        reply = await api.chat(await api.register())
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert int(reply.headers["retry-after"]) >= 1
    assert model_server.requests == []


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=401),
        Reply(status=429, headers=(("Retry-After", "60"),)),
        Reply(status=400),
        Reply(body=b"garbage"),
        Reply(body=b" " * 10 * 1024 * 1024),
        streamed(finish=None, end=False, resets=True),
    ],
    ids=["401", "429", "400", "garbage", "10 MB", "reset"],
)
async def test_a_model_that_fails_costs_nothing_and_the_manuals_answer(
    failure: Reply, servers: Servers, database: str, redis: Redis, model_server: OpenAIStub
) -> None:
    _ = redis
    model_server.script = [failure]
    async with paying(servers, database, model_server) as api:
        reply = await api.chat(await api.register())
        assert (reply.status_code, reply.json()["metadata"]["provider"]) == (200, "offline")
        assert "5W-30" in reply.json()["response"]
        assert await spent(api) == 0


async def test_a_stream_that_breaks_off_is_an_answer_and_its_estimated_cost_is_counted(
    servers: Servers, database: str, redis: Redis, model_server: OpenAIStub
) -> None:
    _ = redis
    model_server.script = [streamed("The engine oil of the GenAuto X1 is ", "5W-30 and", finish=None, end=False)]
    async with paying(servers, database, model_server) as api:
        who = await api.register()
        request = api.client.stream(
            "POST",
            "/api/v1/chat/stream",
            json={"message": "Which engine oil does the GenAuto X1 take?"},
            headers=who.headers,
        )
        async with request as reply:
            text = (await reply.aread()).decode()
        assert "5W-30 and" in text
        assert "event: complete" in text
        assert 0 < await spent(api) < Decimal("0.01")


@pytest.mark.parametrize("ticket", [False, True], ids=["answer", "handoff"])
async def test_a_budget_costs_a_turn_two_statements(
    ticket: bool, servers: Servers, database: str, redis: Redis, model_server: OpenAIStub
) -> None:
    """Counted by PostgreSQL: its log holds every statement of this database."""
    _ = redis
    model_server.script = [chat("NOT_IN_MANUALS" if ticket else "It takes 5W-30, API SN.", usage=USAGE)]
    await servers.administer(f"ALTER DATABASE {database} SET log_statement = 'all'")
    log = servers.state.folder / "postgres.log"
    async with paying(servers, database, model_server) as api:
        who = await api.register()
        await api.chat(who)
        begin = log.stat().st_size
        reply = await api.chat(who, session_id="s1", client_message_id="m1")
        entries = re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", log.read_bytes()[begin:].decode(errors="replace"))
    executed = [entry for entry in entries if "LOG:  execute" in entry or "LOG:  statement" in entry]
    statements = [entry for entry in executed if not any(words in entry for words in NOT_THE_TURNS)]
    assert (reply.json()["handoff"] is not None) is ticket
    assert len(statements) <= 8, "".join(statements)
    assert sum("llm_reserve" in line or "llm_settle" in line for line in statements) == 2
