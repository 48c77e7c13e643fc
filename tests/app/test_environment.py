"""Variables that change how the API behaves towards its callers, each shown by its effect."""

import asyncio

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Servers, emptied, running_api

from genai_app.ratelimit import PER_ADDRESS

pytestmark = pytest.mark.service


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
