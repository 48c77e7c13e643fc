"""Token buckets per user and per address, decided in Redis."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, running_api

from genai_app.admission import Gate
from genai_app.breaker import Breaker
from genai_app.errors import TooMany
from genai_app.metrics import Metrics
from genai_app.ratelimit import PER_ADDRESS, PER_USER, Limit

pytestmark = pytest.mark.service


@pytest.fixture
def gate(redis: Redis) -> Gate:
    metrics = Metrics("test")
    return Gate(
        redis, Breaker("redis", timeout=5, failures=(), probe=redis.ping, metrics=metrics), metrics, limits=True
    )


async def admitted(gate: Gate, limit: Limit, subject: str) -> bool:
    try:
        await gate.admit(limit, subject)
    except TooMany:
        return False
    return True


async def test_a_burst_then_the_rate(gate: Gate) -> None:
    slow = Limit("test", rate=0.01, burst=5)
    assert [await admitted(gate, slow, "ana") for _ in range(8)] == [True] * 5 + [False] * 3
    assert await admitted(gate, slow, "eve")


async def test_a_bucket_fills_again(gate: Gate) -> None:
    quick = Limit("test", rate=50, burst=2)
    assert [await admitted(gate, quick, "ana") for _ in range(2)] == [True, True]
    async with asyncio.timeout(5):
        while not await admitted(gate, quick, "ana"):
            pass
    decision = (await gate.admit(Limit("full", rate=50, burst=3), "ana")).decision
    assert decision is not None
    assert (decision.remaining, decision.retry_after) == (2, 0)
    assert 0 < decision.reset <= 1 / 50


async def test_many_at_once_get_exactly_the_burst(gate: Gate) -> None:
    slow = Limit("test", rate=0.01, burst=7)
    assert sum(await asyncio.gather(*(admitted(gate, slow, "ana") for _ in range(30)))) == 7


async def test_a_bucket_leaves_nothing_behind(gate: Gate, redis: Redis) -> None:
    await gate.admit(Limit("test", rate=1, burst=5), "ana")
    [key] = await redis.keys("genai:limit:*")
    assert 0 < await redis.pttl(key) <= 1000


async def test_a_user_who_asks_too_much_is_told_when_to_come_back(api: Api, redis: Redis) -> None:
    who, other = await api.register(), await api.register("Eve")
    await redis.flushall()
    path = "/api/v1/auth/me"
    replies = await asyncio.gather(*(api.client.get(path, headers=who.headers) for _ in range(PER_USER.burst + 30)))
    refused = [reply for reply in replies if reply.status_code == 429]
    assert {reply.status_code for reply in replies} == {200, 429}
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].headers["x-ratelimit-limit"] == "50"
    assert refused[0].headers["x-ratelimit-remaining"] == "0"
    assert "30 requests a second" in refused[0].json()["detail"]
    assert (await api.client.get(path, headers=other.headers)).status_code == 200
    assert (await api.metrics())['rate_limit_rejections_total{scope="user"}'] >= len(refused)


async def test_guessing_passwords_is_limited_by_address(api: Api) -> None:
    body = {"email": "nobody@example.com", "password": "guess"}
    requests = (api.client.post("/api/v1/auth/login", json=body) for _ in range(PER_ADDRESS.burst + 15))
    replies = await asyncio.gather(*requests)
    statuses = [reply.status_code for reply in replies]
    assert statuses.count(401) >= PER_ADDRESS.burst
    assert 429 in statuses


async def test_limits_can_be_switched_off(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with running_api(servers.settings(database, RATE_LIMIT_ENABLED="false")) as api:
        body = {"email": "nobody@example.com", "password": "guess"}
        requests = (api.client.post("/api/v1/auth/login", json=body) for _ in range(PER_ADDRESS.burst + 15))
        assert {reply.status_code for reply in await asyncio.gather(*requests)} == {401}


def test_the_shared_servers_are_on_unix_sockets(servers: Servers) -> None:
    """Nothing of the tests listens on a network."""
    assert Path(servers.variables["POSTGRES_HOST"]).is_dir()
