"""Variables that change how the API behaves towards its callers, each shown by its effect."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from redis.asyncio import Redis
from tests.app.conftest import Servers, emptied, running_api

from genai_app.ratelimit import PER_ADDRESS

pytestmark = pytest.mark.service

OLD_KEY, NEW_KEY = "0123456789abcdef" * 4, "fedcba9876543210" * 4


@pytest.mark.parametrize(
    ("trusted", "counted"),
    [
        ("", "127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "192.0.2.7"),
        ("10.0.0.1, 127.0.0.1", "192.0.2.7"),
    ],
)
async def test_forwarded_addresses_count_from_trusted_proxies_only(
    servers: Servers, database: str, redis: Redis, trusted: str, counted: str
) -> None:
    await emptied(redis, PER_ADDRESS, counted, seconds=30)
    async with running_api(servers.settings(database, TRUSTED_PROXIES=trusted)) as api:
        headers = {"X-Forwarded-For": "192.0.2.7"}
        assert (await api.client.post("/api/v1/auth/login", json={}, headers=headers)).status_code == 429
        await redis.flushall()
        assert (await api.client.post("/api/v1/auth/login", json={}, headers=headers)).status_code == 422


async def test_the_rates_are_settings(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    settings = servers.settings(
        database, RATE_LIMIT_PER_SECOND="0.02", RATE_LIMIT_BURST="3", RATE_LIMIT_AUTH_PER_SECOND="0.01",
        RATE_LIMIT_AUTH_BURST="2",
    )  # fmt: skip
    async with running_api(settings) as api:
        who = await api.register()
        own = [await api.client.get("/api/v1/auth/me", headers=who.headers) for _ in range(4)]
        logins = [await api.client.post("/api/v1/auth/login", json={}) for _ in range(2)]
    assert [reply.status_code for reply in own] == [200, 200, 200, 429]
    assert [reply.headers["x-ratelimit-limit"] for reply in own] == ["3"] * 4
    assert 45 <= int(own[3].headers["retry-after"]) <= 50
    assert [reply.status_code for reply in logins] == [422, 429]
    assert logins[1].headers["x-ratelimit-limit"] == "2"


@pytest.mark.parametrize("debug", ["true", "false"])
async def test_debugging_logs_statements_but_no_values(
    servers: Servers, database: str, redis: Redis, logged: Callable[[], list[dict[str, Any]]], debug: str
) -> None:
    _ = redis
    settings = servers.settings(database, DEBUG=debug)
    root = logging.getLogger()
    before = root.level
    root.setLevel(settings.lowest_level)
    try:
        async with running_api(settings) as api:
            who = await api.register("Ana Personal")
            await api.client.get("/api/v1/auth/me", headers=who.headers)
    finally:
        root.setLevel(before)
    statements = [line for line in logged() if line["event"] == "statement"]
    assert bool(statements) is (debug == "true")
    assert [line for line in statements if "Ana Personal" in str(line) or who.id in str(line)] == []
    assert debug == "false" or [line for line in statements if "INSERT INTO users" in line["sql"]]


async def test_tokens_live_and_are_signed_as_the_settings_say(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    settings = servers.settings(
        database, JWT_ACCESS_EXPIRE_MINUTES="3", JWT_REFRESH_EXPIRE_DAYS="2", JWT_ALGORITHM="HS256"
    )
    async with running_api(settings) as api:
        who = await api.register()
        [(seconds,)] = await api.sql("SELECT extract(epoch FROM expires_at - now())::int FROM auth_sessions")
    key = settings.jwt_secret_key.get_secret_value()
    said = jwt.decode(who.access, key, ["HS256"], audience="genai-auto-api")
    assert said["exp"] - said["iat"] == 3 * 60
    assert 2 * 86400 - 60 < seconds <= 2 * 86400


async def test_a_new_signing_key_logs_nobody_out(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with running_api(servers.settings(database, JWT_SECRET_KEY=OLD_KEY)) as api:
        who = await api.register()
    for previous, status in ((OLD_KEY, 200), ("", 401)):
        settings = servers.settings(database, JWT_SECRET_KEY=NEW_KEY, JWT_PREVIOUS_SECRET_KEY=previous)
        async with running_api(settings) as api:
            assert (await api.client.get("/api/v1/auth/me", headers=who.headers)).status_code == status


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css"])
async def test_the_documentation_can_be_switched_off(servers: Servers, database: str, path: str) -> None:
    async with running_api(servers.settings(database, DOCS_ENABLED="false")) as api:
        assert (await api.client.get(path)).status_code == 404


async def test_a_small_pool_still_answers_everybody(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with running_api(servers.settings(database, DATABASE_POOL_SIZE="1")) as api:
        who = await api.register()
        replies = await asyncio.gather(*(api.chat(who, f"How many airbags, {n}?") for n in range(10)))
        assert {reply.status_code for reply in replies} == {200}
        [(connections,)] = await api.sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'genai-auto'"
        )
    assert connections == 1
