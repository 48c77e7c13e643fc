"""PostgreSQL away: nothing wrong is said, nothing acknowledged is lost, and it comes back without a restart."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Proxy, Servers, proxied, running_api

from genai_app.local.postgres import PORT

pytestmark = pytest.mark.service


@pytest.fixture
async def fronted(servers: Servers, database: str, redis: Redis) -> AsyncIterator[tuple[Api, Proxy]]:
    """An API whose PostgreSQL can be taken away."""
    _ = redis
    server = Path(servers.variables["POSTGRES_HOST"]) / f".s.PGSQL.{PORT}"
    async with (
        proxied(server) as (proxy, folder),
        running_api(servers.settings(database, POSTGRES_HOST=str(folder))) as api,
    ):
        yield api, proxy


async def test_its_absence_is_a_503_with_a_reason_and_ends_by_itself(fronted: tuple[Api, Proxy]) -> None:
    api, proxy = fronted
    who = await api.register()
    kept = (await api.chat(who)).json()
    await proxy.stop()

    replies = [
        await api.chat(who),
        await api.client.get("/api/v1/chat/sessions", headers=who.headers),
        await api.client.post("/api/v1/auth/login", json={"email": "a@example.com", "password": "x"}),
    ]
    for reply in replies:
        assert reply.status_code == 503
        assert reply.headers["content-type"] == "application/problem+json"
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.json()["type"] == "urn:genai-auto:problem:database-unreachable"
    ready = await api.client.get("/readyz")
    assert (ready.status_code, ready.json()["reason"]) == (503, "database_unreachable")
    health = await api.client.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert health.json()["services"]["database"] == "disconnected"
    assert (await api.client.get("/livez")).status_code == 200

    await proxy.start()
    assert (await api.client.get("/readyz")).status_code == 200
    path = f"/api/v1/chat/history/{kept['session_id']}"
    history = (await api.client.get(path, headers=who.headers)).json()["items"]
    assert history[-1]["id"] == kept["message_id"]
    assert (await api.chat(who)).status_code == 200


async def test_cut_connections_hurt_each_at_most_once(fronted: tuple[Api, Proxy]) -> None:
    """A database that restarted: what was in flight fails, the next request finds a new connection."""
    api, proxy = fronted
    who = await api.register()
    await asyncio.gather(*(api.chat(who, f"How many airbags, {n}?") for n in range(8)))
    await proxy.stop()
    await proxy.start()
    replies = await asyncio.gather(*(api.chat(who, f"How big is the boot, {n}?") for n in range(8)))
    assert {reply.status_code for reply in replies} == {200}


async def test_a_database_that_hangs_holds_nobody_for_long(fronted: tuple[Api, Proxy]) -> None:
    api, proxy = fronted
    who = await api.register()
    await proxy.hang()
    began = time.perf_counter()
    reply, ready = await asyncio.gather(
        api.client.get("/api/v1/auth/me", headers=who.headers), api.client.get("/readyz")
    )
    assert (reply.status_code, ready.status_code) == (503, 503)
    assert time.perf_counter() - began < 6
    await proxy.stop()
    await proxy.start()
    assert (await api.client.get("/api/v1/auth/me", headers=who.headers)).status_code == 200


async def test_the_process_starts_without_a_database(servers: Servers) -> None:
    async with running_api(servers.settings("does_not_exist")) as api:
        ready = await api.client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "database_unreachable")
        assert "does_not_exist" not in ready.text
