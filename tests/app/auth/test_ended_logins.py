"""A login that ends, ends on every replica at once, with and without Redis; and asking costs one trip."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import jwt
import pytest
from redis.asyncio import Redis
from tests.app.conftest import QUESTION, Api, Login, Servers, running_api

from genai_app.admission import ended_key

pytestmark = pytest.mark.service


@pytest.fixture
async def replicas(servers: Servers, database: str, redis: Redis) -> AsyncIterator[tuple[Api, Api]]:
    """Two APIs on one database and one Redis."""
    _ = redis
    async with running_api(servers.settings(database)) as one, running_api(servers.settings(database)) as other:
        yield one, other


def session_of(login: Login) -> UUID:
    return UUID(jwt.decode(login.access, options={"verify_signature": False})["sid"])


async def statuses(api: Api, login: Login) -> list[int]:
    """Of every kind of request: one that counts, and a turn whose answer is kept."""
    me = await api.client.get("/api/v1/auth/me", headers=login.headers)
    return [me.status_code, (await api.chat(login)).status_code]


async def log_out(api: Api, login: Login) -> None:
    assert (await api.client.post("/api/v1/auth/logout", json={"refresh_token": login.refresh})).status_code == 204


@pytest.mark.parametrize("mark", ["kept", "lost"])
async def test_logging_out_ends_the_login_on_every_replica(replicas: tuple[Api, Api], redis: Redis, mark: str) -> None:
    one, other = replicas
    ana = await one.register()
    assert await statuses(other, ana) == [200, 200]
    await log_out(one, ana)
    if mark == "lost":
        await redis.flushall()
        assert (await other.chat(await other.register("Eve"))).status_code == 200  # the answer is kept again
    assert await statuses(other, ana) == [401, 401]
    assert await statuses(one, ana) == [401, 401]


async def test_an_inactive_account_gets_no_kept_answer_either(api: Api) -> None:
    ana = await api.register()
    assert [(await api.chat(ana)).json()["cached"] for _ in range(2)] == [False, True]
    await api.sql("UPDATE users SET is_active = false WHERE id = $1", UUID(ana.id))
    assert await statuses(api, ana) == [401, 401]
    assert await api.sql(
        "SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.user_id = $1",
        UUID(ana.id),
    ) == [(4,)]


async def test_without_redis_a_login_ends_at_once_too(servers: Servers, database: str) -> None:
    settings = servers.settings(database, REDIS_URL="")
    async with running_api(settings) as one, running_api(settings) as other:
        ana = await one.register()
        assert await statuses(other, ana) == [200, 200]
        await log_out(one, ana)
        assert await statuses(other, ana) == [401, 401]


@pytest.mark.parametrize("limits", ["true", "false"])
async def test_a_mark_in_redis_refuses_without_the_database(
    servers: Servers, database: str, redis: Redis, limits: str
) -> None:
    async with running_api(servers.settings(database, RATE_LIMIT_ENABLED=limits)) as api:
        ana = await api.register()
        await redis.set(ended_key(session_of(ana)), b"")
        assert await statuses(api, ana) == [401, 401]


async def test_marks_go_when_the_tokens_have_expired(servers: Servers, database: str, redis: Redis) -> None:
    async with running_api(servers.settings(database, JWT_ACCESS_EXPIRE_MINUTES="7")) as api:
        ana = await api.register()
        await log_out(api, ana)
    assert 7 * 60 - 60 < await redis.ttl(ended_key(session_of(ana))) <= 7 * 60 + 60


async def test_why_a_login_ended_is_kept(api: Api) -> None:
    out, spent = await api.register(), await api.register()
    await log_out(api, out)
    for _ in range(2):
        await api.client.post("/api/v1/auth/refresh", json={"refresh_token": spent.refresh})
    rows = await api.sql(
        "SELECT ended_by FROM auth_sessions WHERE id = ANY ($1) ORDER BY ended_by", [session_of(out), session_of(spent)]
    )
    assert rows == [("logout",), ("reuse",)]


GREETINGS = {"HELLO", "CLIENT"}
"""What this test's own connections begin with; those of the API do not."""


@asynccontextmanager
async def trips(redis: Redis) -> AsyncIterator[list[str]]:
    """The commands that clients send during the block; those inside scripts are no trips."""
    seen: list[str] = []
    async with redis.monitor() as monitor:

        async def listen() -> None:
            async for command in monitor.listen():
                name = command["command"].split()[0].upper()
                if command["client_type"] != "lua" and name not in GREETINGS:
                    seen.append(name)
                if "the-end" in command["command"]:
                    return

        listening = asyncio.create_task(listen())
        yield seen
        await redis.echo("the-end")
        await listening
    seen.remove("ECHO")


async def test_login_limit_and_kept_answer_are_one_trip(api: Api, redis: Redis) -> None:
    ana = await api.register()
    await api.chat(ana)
    async with trips(redis) as kept:
        assert (await api.chat(ana, QUESTION)).json()["cached"] is True
    async with trips(redis) as own:
        await api.client.get("/api/v1/auth/me", headers=ana.headers)
    assert (kept, own) == (["EVALSHA"], ["EVALSHA"])
