"""Turns as server-sent events, and turns over REST whose client leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx2
import pytest
from redis.asyncio import Redis
from tests.app.chat.client import Frame, opened, problem
from tests.app.chat.scripts import LONG, hanging
from tests.app.conftest import QUESTION, Api, Login, emptied
from tests.app.openai_stub import OpenAIStub, Reply, chat

from genai_app.ratelimit import PER_USER

pytestmark = pytest.mark.service


@asynccontextmanager
async def streaming(api: Api, who: Login, **fields: str) -> AsyncIterator[httpx2.Response]:
    """The reply to a turn, its body not yet read."""
    body = {"message": QUESTION, **fields}
    async with api.client.stream("POST", "/api/v1/chat/stream", json=body, headers=who.headers) as reply:
        yield reply


async def frames_of(reply: httpx2.Response) -> list[Frame]:
    """Its frames; the event's name is the frame's type."""
    frames = []
    name = ""
    async for line in reply.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            frames.append(json.loads(line.removeprefix("data: ")))
            assert frames[-1]["type"] == name
    return frames


async def test_the_frames_are_those_of_the_websocket(replica: Api, model_server: OpenAIStub) -> None:
    model_server.text = LONG
    who = await replica.register()
    async with streaming(replica, who, session_id="s1") as reply:
        assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert reply.headers["x-ratelimit-limit"] == "50"
        streamed = await frames_of(reply)
    async with opened(replica, who, "s2") as socket:
        on_websocket = await socket.ask()
    assert [frame["type"] for frame in streamed] == [frame["type"] for frame in on_websocket]
    own = {"session_id": "", "message_id": ""}
    assert {**streamed[-1], **own} == {**on_websocket[-1], **own}
    assert "".join(frame["token"] for frame in streamed if frame["type"] == "token") == LONG


async def test_a_refused_turn_is_a_reply_of_its_own(api: Api, redis: Redis) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    session_id = (await api.chat(ana)).json()["session_id"]
    refusals = [
        ({"message": ""}, eve.headers, 422),
        ({"message": QUESTION}, {}, 401),
        ({"message": QUESTION, "session_id": session_id}, eve.headers, 404),
        ({"message": QUESTION, "vehicle_id": str(uuid4())}, eve.headers, 404),
    ]
    for body, headers, status in refusals:
        reply = await api.client.post("/api/v1/chat/stream", json=body, headers=headers)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    await emptied(redis, PER_USER, eve.id, seconds=30)
    reply = await api.client.post("/api/v1/chat/stream", json={"message": QUESTION}, headers=eve.headers)
    assert (reply.status_code, int(reply.headers["retry-after"]) > 20) == (429, True)


async def test_a_turn_that_fails_on_the_way_says_so_at_the_end(own_api: Api) -> None:
    who = await own_api.register()
    await own_api.sql("ALTER TABLE messages ADD CONSTRAINT no_answers CHECK (role <> 'assistant')")
    async with streaming(own_api, who) as reply:
        frames = await frames_of(reply)
    assert problem(frames[-1]) == (500, "internal")
    assert "no_answers" not in json.dumps(frames)
    assert await own_api.sql("SELECT count(*) FROM conversations") == [(0,)]


@pytest.mark.parametrize("path", ["/api/v1/chat", "/api/v1/chat/stream"])
async def test_leaving_stops_the_model_and_stores_nothing(replica: Api, model_server: OpenAIStub, path: str) -> None:
    model_server.script = [hanging()]
    who = await replica.register()
    body = {"message": QUESTION, "session_id": "s1", "client_message_id": "m1"}
    leaving = asyncio.create_task(replica.client.post(path, json=body, headers=who.headers))
    await asyncio.wait_for(model_server.arrived.wait(), timeout=20)
    leaving.cancel()
    await asyncio.wait_for(model_server.left.wait(), timeout=20)
    model_server.script = []
    reply = await replica.chat(who, session_id="s1", client_message_id="m1")
    assert reply.json()["response"] == model_server.text
    assert await replica.sql("SELECT count(*) FROM messages") == [(2,)]
    assert (await replica.metrics())['task_completion_total{agent="none",status="abandoned"}'] == 1


async def test_feedback_is_one_for_each_answer_and_person_and_may_change(own_api: Api) -> None:
    api = own_api
    ana, eve = await api.register(), await api.register("Eve")
    async with opened(api, ana) as socket:
        message_id = (await socket.answer())["message_id"]
        await socket.send(type="feedback", message_id=message_id, sentiment="negative", comment="Too short.")
        assert await socket.alive()
    for sentiment in ("positive", "positive"):
        body = {"message_id": message_id, "sentiment": sentiment}
        reply = await api.client.post("/api/v1/feedback", json=body, headers=ana.headers)
        assert (reply.status_code, reply.json()["sentiment"]) == (200, sentiment)
        assert (await api.client.post("/api/v1/feedback", json=body, headers=eve.headers)).status_code == 404
    assert await api.sql("SELECT user_id, sentiment, comment FROM feedback") == [(UUID(ana.id), "positive", None)]
    samples = await api.metrics()
    assert [samples[f'user_feedback_total{{sentiment="{word}"}}'] for word in ("negative", "positive")] == [1, 1]


async def test_a_model_streams_for_who_watches_and_gives_the_whole_to_who_does_not(
    replica: Api, model_server: OpenAIStub
) -> None:
    who = await replica.register()
    model_server.text = LONG
    plain = (await replica.chat(who)).json()
    async with streaming(replica, who) as reply:
        frames = await frames_of(reply)
    asked = [request.json.get("stream", False) for request in model_server.requests]
    assert asked == [False, True]
    assert plain["response"] == frames[-1]["response"] == LONG


@pytest.mark.parametrize("trouble", [Reply(resets=True), Reply(body=b'{"choices": [{"mess', promised=900, resets=True)])
async def test_a_reply_that_breaks_off_is_asked_for_again_when_nobody_has_seen_its_beginning(
    trouble: Reply, replica: Api, model_server: OpenAIStub
) -> None:
    model_server.script = [trouble, chat(LONG)]
    reply = await replica.chat(await replica.register())
    assert (reply.status_code, reply.json()["response"]) == (200, LONG)
    assert len(model_server.requests) == 2
