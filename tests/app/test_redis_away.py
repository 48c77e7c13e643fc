"""Redis is optional: refused, hung, flushed or slow, it costs little once and nothing afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.app.conftest import QUESTION, Api, Login, Proxy, Servers, proxied, running_api, until

pytestmark = pytest.mark.service

DOWN = 'dependency_down_total{dependency="redis",policy="%s"}'


@pytest.fixture
async def fronted(servers: Servers, database: str, redis: Redis) -> AsyncIterator[tuple[Api, Proxy]]:
    """An API whose Redis can be taken away."""
    _ = redis
    server = Path(servers.variables["REDIS_URL"].removeprefix("unix://"))
    async with (
        proxied(server) as (proxy, folder),
        running_api(servers.settings(database, REDIS_URL=f"unix://{folder / server.name}")) as api,
    ):
        yield api, proxy


async def seconds_of(api: Api, who: Login) -> float:
    """Time of the cheapest counted request."""
    started = time.perf_counter()
    reply = await api.client.get("/api/v1/auth/me", headers=who.headers)
    assert reply.status_code == 200
    return time.perf_counter() - started


def breaker_is_open(api: Api) -> bool:
    return bool(api.app.state.gate._breaker.is_open)


@pytest.mark.parametrize("way", ["stop", "hang"])
async def test_its_absence_costs_one_timeout_once(
    fronted: tuple[Api, Proxy], logged: Callable[[], list[dict[str, Any]]], way: str
) -> None:
    """Three times, the best of which counts: other work on the machine can only add."""
    api, proxy = fronted
    who = await api.register()
    usual = min([await seconds_of(api, who) for _ in range(10)])
    first, later = [], []
    for _ in range(3):
        await getattr(proxy, way)()
        first.append(await seconds_of(api, who))
        assert breaker_is_open(api)
        later += [await seconds_of(api, who) for _ in range(5)]
        await proxy.stop()
        await proxy.start()
        await until(lambda: not breaker_is_open(api), seconds=5)
    assert min(first) - usual <= 0.12
    assert min(later) - usual <= 0.01
    transitions = [line["event"] for line in logged() if line["event"].startswith("dependency")]
    assert transitions == ["dependency is away", "dependency is back"] * 3


async def test_everything_works_without_it_says_so_and_counts_it(fronted: tuple[Api, Proxy]) -> None:
    api, proxy = fronted
    who = await api.register()
    await proxy.stop()
    assert (await api.chat(who)).status_code == 200
    assert (await api.client.get("/readyz")).status_code == 200
    health = await api.client.get("/health")
    assert (health.status_code, health.json()["status"], health.json()["services"]["redis"]) == (
        200, "degraded", "disconnected",
    )  # fmt: skip
    assert (await api.metrics())[DOWN % "fail-open"] >= 1
    await proxy.start()
    await until(lambda: not breaker_is_open(api), seconds=5)
    assert "x-ratelimit-limit" in (await api.client.get("/api/v1/auth/me", headers=who.headers)).headers
    assert (await api.client.get("/health")).json()["status"] == "healthy"


async def test_many_at_once_while_it_hangs_all_get_an_answer(fronted: tuple[Api, Proxy]) -> None:
    api, proxy = fronted
    accounts = [await api.register() for _ in range(3)]
    await proxy.hang()
    replies = await asyncio.gather(*(api.chat(accounts[n % 3], f"{QUESTION} {n}") for n in range(30)))
    assert {reply.status_code for reply in replies} == {200}


async def test_a_flush_and_forgotten_scripts_go_unnoticed(api: Api, redis: Redis) -> None:
    who = await api.register()
    assert (await api.chat(who)).status_code == 200
    await redis.flushall()
    await redis.script_flush()
    reply = await api.chat(who)
    assert (reply.status_code, reply.json()["cached"]) == (200, False)
    assert reply.headers["x-ratelimit-remaining"] == "49"
    assert not breaker_is_open(api)


async def test_garbage_in_the_cache_is_a_miss(api: Api, redis: Redis) -> None:
    who = await api.register()
    await api.chat(who)
    [key] = [key async for key in redis.scan_iter("genai:response:*")]
    await redis.set(key, b"\xff{not json")
    reply = await api.chat(who)
    assert (reply.status_code, reply.json()["cached"]) == (200, False)


async def test_without_a_redis_url_there_is_neither_cache_nor_limit(servers: Servers, database: str) -> None:
    async with running_api(servers.settings(database, REDIS_URL="")) as api:
        who = await api.register()
        replies = [await api.chat(who) for _ in range(2)]
        assert [reply.json()["cached"] for reply in replies] == [False, False]
        assert "x-ratelimit-limit" not in replies[0].headers
        health = (await api.client.get("/health")).json()
        assert (health["status"], health["services"]["redis"]) == ("healthy", "disconnected")
