"""Answers to questions that ask the same in other words, over the whole API with a real Valkey."""

from typing import Any, cast

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Login, Servers, running_api

pytestmark = pytest.mark.service

ASKED = "How often must the engine oil be changed?"
IN_OTHER_WORDS = "What is the oil change interval?"


async def turn(api: Api, who: Login, message: str, **fields: Any) -> dict[str, Any]:
    reply = await api.chat(who, message, **fields)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


async def test_another_wording_gets_the_kept_answer_whoever_asks(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    before = await api.metrics()
    first, again = await turn(api, ana, ASKED), await turn(api, eve, IN_OTHER_WORDS)
    assert (first["cached"], again["cached"]) == (False, True)
    for same in ("response", "sources", "agent_used", "confidence"):
        assert again[same] == first[same]
    history = (await api.client.get(f"/api/v1/chat/history/{again['session_id']}", headers=eve.headers)).json()
    assert [message["content"] for message in history["items"]] == [IN_OTHER_WORDS, first["response"]]
    after = await api.metrics()
    for operation, moved in (("hit", 1), ("miss", 1)):
        name = f'cache_operations_total{{cache_type="semantic",operation="{operation}"}}'
        assert after[name] - before.get(name, 0) == moved


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Qual o consumo na cidade com gasolina?", "Qual o consumo na cidade com etanol?"),
        ("What does the warranty cover?", "What does the warranty cover in Chile?"),
    ],
)
async def test_a_near_miss_gets_its_own_answer(first: str, then: str, api: Api) -> None:
    who = await api.register()
    await turn(api, who, first)
    assert (await turn(api, who, then))["cached"] is False


async def test_a_follow_up_and_a_personal_question_are_answered_anew(api: Api, redis: Redis) -> None:
    who = await api.register()
    session_id = (await turn(api, who, ASKED))["session_id"]
    assert (await turn(api, who, IN_OTHER_WORDS, session_id=session_id))["cached"] is False
    assert (await turn(api, who, f"My name is Ana. {IN_OTHER_WORDS}"))["cached"] is False
    assert len([key async for key in redis.scan_iter("genai:questions:*")]) == 1


async def test_a_miss_costs_one_trip_more_and_a_hit_two(api: Api, redis: Redis) -> None:
    who = await api.register()
    await turn(api, who, "How many airbags does it have?")
    trips = await commands(redis, api, who, ASKED)
    assert trips.pop("LRANGE") == 1
    assert sum(trips[name] for name in ("SET", "LREM", "LPUSH", "LTRIM", "EXPIRE")) == 5  # kept, after the reply
    assert trips.get("GET", 0) == 0
    trips = await commands(redis, api, who, IN_OTHER_WORDS)
    assert {name: trips[name] for name in ("LRANGE", "GET")} == {"LRANGE": 1, "GET": 1}
    assert (await commands(redis, api, who, ASKED)).keys() <= {"EVALSHA"}


async def commands(redis: Redis, api: Api, who: Login, message: str) -> dict[str, int]:
    """Redis commands that clients sent for one turn, by name; what scripts do inside Redis does not count."""
    await redis.config_resetstat()
    async with redis.monitor() as monitor:
        await turn(api, who, message)
        await redis.echo("end")
        seen: dict[str, int] = {}
        async for command in monitor.listen():
            name = command["command"].split()[0].upper()
            if name == "ECHO":
                return seen
            if command["client_type"] != "lua":
                seen[name] = seen.get(name, 0) + 1
    raise AssertionError("the monitor ended")


async def test_what_redis_keeps_of_questions_cannot_be_read(api: Api, redis: Redis) -> None:
    await turn(api, await api.register(), ASKED)
    [bucket] = [key async for key in redis.scan_iter("genai:questions:*")]
    [entry] = cast("list[bytes]", await redis.lrange(bucket, 0, -1))
    assert 0 < await redis.ttl(bucket) <= 3600
    assert entry.startswith(b"genai:response:")
    for word in (b"engine", b"oil", b"often"):
        assert word not in bucket.lower() + entry.lower()


async def test_an_answer_that_is_gone_is_a_miss(api: Api, redis: Redis) -> None:
    who = await api.register()
    await turn(api, who, ASKED)
    await redis.delete(*[key async for key in redis.scan_iter("genai:response:*")])
    assert (await turn(api, who, IN_OTHER_WORDS))["cached"] is False


async def test_it_can_be_switched_off_alone(servers: Servers, database: str, redis: Redis) -> None:
    async with running_api(servers.settings(database, CACHE_SEMANTIC_ENABLED="false")) as api:
        who = await api.register()
        asked = [(await turn(api, who, text))["cached"] for text in (ASKED, IN_OTHER_WORDS, ASKED)]
    assert asked == [False, False, True]
    assert [key async for key in redis.scan_iter("genai:questions:*")] == []
