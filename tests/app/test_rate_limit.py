"""Token buckets per user and per address, decided in Redis."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, emptied, running_api

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
    await emptied(redis, PER_USER, who.id, seconds=30)
    for refused in (await api.client.get("/api/v1/auth/me", headers=who.headers), await api.chat(who)):
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert 25 <= int(refused.headers["retry-after"]) <= 30
        assert refused.headers["x-ratelimit-limit"] == "50"
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert "30 requests a second" in refused.json()["detail"]
    accepted = await api.client.get("/api/v1/auth/me", headers=other.headers)
    assert (accepted.status_code, accepted.headers["x-ratelimit-remaining"]) == (200, "49")
    assert (await api.metrics())['rate_limit_rejections_total{scope="user"}'] >= 2


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout"])
async def test_guessing_is_limited_by_address(api: Api, redis: Redis, path: str) -> None:
    await emptied(redis, PER_ADDRESS, "127.0.0.1", seconds=30)
    refused = await api.client.post(f"/api/v1/auth/{path}", json={})
    assert (refused.status_code, refused.headers["x-ratelimit-limit"]) == (429, "10")


async def test_limits_can_be_switched_off(servers: Servers, database: str, redis: Redis) -> None:
    await emptied(redis, PER_ADDRESS, "127.0.0.1", seconds=30)
    async with running_api(servers.settings(database, RATE_LIMIT_ENABLED="false")) as api:
        reply = await api.client.post("/api/v1/auth/login", json={"email": "nobody@example.com", "password": "guess"})
    assert reply.status_code == 401


def test_the_shared_servers_are_on_unix_sockets(servers: Servers) -> None:
    """Nothing of the tests listens on a network."""
    assert Path(servers.variables["POSTGRES_HOST"]).is_dir()
