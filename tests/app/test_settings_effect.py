"""Numbers that a resource sets, each shown by what a caller sees."""

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Servers, running_api

pytestmark = pytest.mark.service


async def test_the_limits_are_those_of_the_settings(servers: Servers, database: str, redis: Redis) -> None:
    limits = {
        "RATE_LIMIT_PER_SECOND": "0.01", "RATE_LIMIT_BURST": "2",
        "RATE_LIMIT_AUTH_PER_SECOND": "0.01", "RATE_LIMIT_AUTH_BURST": "3",
    }  # fmt: skip
    async with running_api(servers.settings(database, **limits)) as api:
        who = await api.register()
        mine = [await api.client.get("/api/v1/auth/me", headers=who.headers) for _ in range(3)]
        assert [reply.status_code for reply in mine] == [200, 200, 429]
        assert {reply.headers["X-RateLimit-Limit"] for reply in mine} == {"2"}
        logins = [await api.client.post("/api/v1/auth/login", json={}) for _ in range(3)]
        assert [reply.status_code for reply in logins] == [422, 422, 429]
        assert logins[-1].headers["X-RateLimit-Limit"] == "3"
    await redis.flushall()  # the buckets fill so slowly that other tests would find them empty


@pytest.mark.parametrize("passages", [1, 2])
async def test_an_answer_rests_on_no_more_passages_than_it_may(servers: Servers, database: str, passages: int) -> None:
    async with running_api(servers.settings(database, SIMILARITY_TOP_K=str(passages))) as api:
        reply = await api.chat(await api.register(), "How many airbags does the GenAuto X1 have?")
        assert 1 <= len(reply.json()["sources"]) <= passages


async def test_a_body_is_no_larger_than_the_settings_allow(servers: Servers, database: str) -> None:
    async with running_api(servers.settings(database, MAX_BODY_BYTES="1000")) as api:
        who = await api.register()
        assert (await api.chat(who, "x" * 900)).status_code == 200
        assert (await api.chat(who, "x" * 1000)).status_code == 413
