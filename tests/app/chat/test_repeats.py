"""A message that is sent again: it is answered once, whatever happened to the connection in between."""

import asyncio

import pytest
from tests.app.chat.client import Frame, opened, problem
from tests.app.chat.scripts import gated, hanging
from tests.app.conftest import QUESTION, Api, Login
from tests.app.openai_stub import OpenAIStub

pytestmark = pytest.mark.service

STORED = "SELECT count(*), count(*) FILTER (WHERE client_message_id = 'm1') FROM messages"


def answer_of(frame: Frame) -> tuple[str, str]:
    assert frame["type"] == "complete", frame
    return frame["message_id"], frame["response"]


async def ask(api: Api, who: Login, **fields: str) -> Frame:
    async with opened(api, who, "s1") as socket:
        return await socket.answer(client_message_id="m1", **fields)


async def test_a_repeat_gets_the_same_answer_on_any_replica_and_transport(
    replica: Api, other_replica: Api, model_server: OpenAIStub
) -> None:
    who = await replica.register()
    first = await ask(replica, who)
    calls = len(model_server.requests)
    again, elsewhere = await ask(replica, who), await ask(other_replica, who)
    rest = await other_replica.chat(who, session_id="s1", client_message_id="m1")
    assert again == elsewhere == first
    assert (rest.json()["message_id"], rest.json()["metadata"]) == (first["message_id"], first["metadata"])
    assert await replica.sql(STORED) == [(2, 1)]
    assert len(model_server.requests) == calls
    assert await replica.sql("SELECT count(*) FROM running_turns") == [(0,)]


async def test_a_repeat_of_a_running_turn_waits_for_its_answer(
    replica: Api, other_replica: Api, model_server: OpenAIStub
) -> None:
    who, gate = await replica.register(), asyncio.Event()
    model_server.script = [gated(gate)]
    first = asyncio.create_task(ask(replica, who))
    await asyncio.wait_for(model_server.arrived.wait(), timeout=20)
    repeats = [asyncio.create_task(ask(api, who)) for api in (replica, other_replica)]
    await running(replica, 2)
    await running(other_replica, 1)
    gate.set()
    answers = [answer_of(frame) for frame in await asyncio.gather(first, *repeats)]
    assert len(set(answers)) == 1
    assert await replica.sql(STORED) == [(2, 1)]
    assert len(model_server.requests) == 1


async def test_who_left_before_the_answer_asks_again_and_gets_one(
    replica: Api, other_replica: Api, model_server: OpenAIStub
) -> None:
    who = await replica.register()
    model_server.script = [hanging()]
    async with opened(replica, who, "s1") as socket:
        await socket.send(type="message", message=QUESTION, client_message_id="m1")
        await asyncio.wait_for(model_server.arrived.wait(), timeout=20)
    await asyncio.wait_for(model_server.left.wait(), timeout=20)
    assert await replica.sql(STORED) == [(0, 0)]
    model_server.script = []
    assert answer_of(await ask(other_replica, who))[1] == model_server.text
    assert await replica.sql(STORED) == [(2, 1)]


async def test_a_replica_that_died_holds_a_message_for_its_lease_only(replica: Api) -> None:
    who = await replica.register()
    await replica.sql(
        "INSERT INTO running_turns (user_id, session_id, client_message_id, holder, expires_at) "
        "SELECT id, 's1', 'm1', gen_random_uuid(), now() + interval '1 second' FROM users"
    )
    answer_of(await ask(replica, who))
    assert await replica.sql("SELECT count(*) FROM running_turns") == [(0,)]


async def test_when_two_answer_at_once_all_the_same_one_answer_wins(
    replica: Api, other_replica: Api, model_server: OpenAIStub
) -> None:
    """The lease of the first ran out while it was at work: the unique constraint has the last word."""
    who, gate = await replica.register(), asyncio.Event()
    model_server.script = [gated(gate, "Slow answer.")]
    first = asyncio.create_task(ask(replica, who))
    await asyncio.wait_for(model_server.arrived.wait(), timeout=20)
    await replica.sql("DELETE FROM running_turns")
    model_server.script = []
    second = await ask(other_replica, who)
    gate.set()
    assert answer_of(await first) == answer_of(second)
    assert await replica.sql(STORED) == [(2, 1)]


async def test_repeats_at_once_of_a_known_answer_are_one(api: Api) -> None:
    who = await api.register()
    await api.chat(who)
    replies = await asyncio.gather(*(api.chat(who, session_id="at-once", client_message_id="m1") for _ in range(6)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["message_id"] for reply in replies}) == 1


async def test_the_same_name_for_another_message_is_refused(api: Api) -> None:
    async with opened(api, await api.register(), "s1") as socket:
        await socket.answer(client_message_id="m1")
        frames = await socket.ask("How many airbags does it have?", client_message_id="m1")
        assert problem(frames[-1]) == (409, "conflict")


async def test_over_rest_a_repeat_needs_the_session_in_which_it_is_one(api: Api) -> None:
    reply = await api.chat(await api.register(), client_message_id="m1")
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == "/session_id"


async def running(api: Api, turns: int) -> None:
    """Wait until so many turns are in progress on WebSockets of a replica."""
    async with asyncio.timeout(20):
        while (await api.metrics())['requests_in_progress{endpoint="/ws/{session_id}"}'] != turns:
            continue
