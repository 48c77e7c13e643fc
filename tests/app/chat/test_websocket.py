"""Turns over the WebSocket: frames, logins, one turn at a time, and whatever else a client may send."""

import asyncio
import json
import time
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import pytest
from redis.asyncio import Redis
from tests.app.chat.client import opened, problem, raw
from tests.app.chat.scripts import LONG, hanging
from tests.app.conftest import QUESTION, Api, emptied, until
from tests.app.openai_stub import OpenAIStub

from genai_app.auth.tokens import CLOCK_LEEWAY_SECONDS
from genai_app.chat import websocket
from genai_app.ratelimit import PER_USER
from genai_app.settings import Settings

pytestmark = pytest.mark.service


async def test_an_answer_comes_as_it_is_written(replica: Api, model_server: OpenAIStub) -> None:
    model_server.text = LONG
    async with opened(replica, await replica.register(), "s1") as socket:
        frames = await socket.ask()
    steps = [frame["step"] for frame in frames if frame["type"] == "progress"]
    assert steps == ["starting", "agent_routing", "rag_retrieval", "generating"]
    tokens = [frame["token"] for frame in frames if frame["type"] == "token"]
    complete = frames[-1]
    assert len(tokens) > 1
    assert "".join(tokens) == complete["response"] == model_server.text
    assert complete.keys() == {
        "type", "response", "session_id", "message_id", "agent", "confidence", "sources", "handoff", "cached", "usage",
        "metadata",
    }  # fmt: skip
    assert (complete["session_id"], complete["agent"], complete["cached"]) == ("s1", "specs", False)
    assert complete["usage"].keys() == {"input_tokens", "output_tokens", "cost_usd"}
    assert await replica.sql("SELECT id::text FROM messages WHERE role = 'assistant'") == [(complete["message_id"],)]


async def test_the_first_frame_may_bring_the_login(api: Api) -> None:
    who = await api.register("Ana")
    async with raw(api) as socket:
        await socket.send(type="auth", token=who.access)
        welcome = await socket.next()
        assert (welcome["type"], welcome["user"]["id"], welcome["user"]["name"]) == ("auth_success", who.id, "Ana")
        assert "5W-30" in (await socket.answer())["response"]


async def test_the_subprotocol_that_brought_the_login_is_the_one_agreed_on(api: Api) -> None:
    async with opened(api, await api.register()) as socket:
        assert socket.wire.subprotocol == "bearer"


@pytest.mark.parametrize("way", ["subprotocol", "frame"])
async def test_a_wrong_login_is_told_so_and_sent_away(api: Api, way: str) -> None:
    async with raw(api, subprotocols=["bearer", "wrong"] if way == "subprotocol" else None) as socket:
        if way == "frame":
            await socket.send(type="auth", token="wrong")
        frame = await socket.next()
        assert (frame["type"], frame["problem"]["status"]) == ("auth_error", 401)
        assert await socket.closed() == 4401


async def test_nobody_stays_without_a_login(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "AUTH_SECONDS", 0.2)
    async with raw(api) as socket:
        await socket.send(type="message", message="hello")
        assert problem(await socket.next()) == (401, "not-authenticated")
        assert (await socket.next())["type"] == "auth_error"
        assert await socket.closed() == 4401


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("{", 400),
        ("", 400),
        ('"\\ud800', 400),
        (b"\x00\x01", 400),
        ("[" * 5000, 400),
        ("[]", 422),
        ("null", 422),
        ("{}", 422),
        ('{"type": "unknown"}', 422),
        ('{"type": 7}', 422),
        ('{"type": "message"}', 422),
        ('{"type": "message", "message": "  "}', 422),
        ('{"type": "message", "message": "\\u0000"}', 422),
        (json.dumps({"type": "message", "message": "x" * 8001}), 422),
        ('{"type": "message", "message": "hello", "client_message_id": ""}', 422),
        ('{"type": "message", "message": "hello", "session_id": "another"}', 422),
        ('{"type": "feedback", "message_id": "1", "sentiment": "positive"}', 422),
        (json.dumps({"type": "feedback", "message_id": str(uuid4()), "sentiment": "positive"}), 404),
    ],
)
async def test_a_frame_that_makes_no_sense_is_told_so_and_the_connection_lives(
    api: Api, sent: str | bytes, status: int
) -> None:
    async with opened(api, await api.register(), "s1") as socket:
        await socket.wire.send(sent)
        frame = await socket.next()
        assert problem(frame)[0] == status
        assert ("errors" in frame["problem"]) == (status == 422)
        assert await socket.alive()


async def test_a_frame_that_is_too_large_closes_the_connection(api: Api) -> None:
    async with opened(api, await api.register()) as socket:
        await socket.send(type="message", message="x" * 65536)
        assert await socket.closed() == 1009


async def test_a_name_that_no_session_can_have_is_refused_in_words(api: Api) -> None:
    async with raw(api, "%20") as socket:
        assert problem(await socket.next()) == (422, "invalid-request")
        assert await socket.closed() == 1008


async def test_without_a_session_in_the_path_messages_may_name_theirs(api: Api) -> None:
    async with opened(api, await api.register()) as socket:
        unnamed = [(await socket.answer())["session_id"] for _ in range(2)]
        named = (await socket.answer(session_id="mine"))["session_id"]
    assert unnamed[0] == unnamed[1] == str(UUID(unnamed[0]))
    assert named == "mine"


async def test_somebody_elses_session_does_not_exist(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    session_id = (await api.chat(ana)).json()["session_id"]
    async with opened(api, eve, session_id) as socket:
        assert problem((await socket.ask())[-1]) == (404, "not-found")
        assert await socket.alive()


async def test_one_turn_at_a_time_and_cancel_makes_room(replica: Api, model_server: OpenAIStub) -> None:
    model_server.script = [hanging()]
    async with opened(replica, await replica.register(), "s1") as socket:
        await socket.send(type="message", message=QUESTION)
        while (await socket.next())["type"] != "token":
            continue
        await socket.send(type="message", message="And the tyres?")
        assert problem((await socket.rest_of_turn())[-1]) == (409, "conflict")
        await socket.send(type="cancel")
        assert problem((await socket.rest_of_turn())[-1]) == (499, "cancelled")
        await asyncio.wait_for(model_server.left.wait(), timeout=20)
        assert await replica.sql("SELECT count(*) FROM messages") == [(0,)]
        model_server.script = []
        assert (await socket.answer())["response"] == model_server.text


async def test_a_cancel_that_comes_while_the_answer_is_stored_is_too_late(own_api: Api) -> None:
    api = own_api
    async with opened(api, await api.register(), "s1") as chat:
        await chat.answer()
        outside = await asyncpg.connect(api.settings.database_dsn)
        try:
            async with outside.transaction():
                await outside.execute("SELECT FROM conversations FOR UPDATE")
                await chat.send(type="message", message="How many airbags does it have?")
                while not await outside.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                    continue
                await chat.send(type="cancel")
                await chat.send(type="ping")
        finally:
            await outside.close()
        assert (await chat.rest_of_turn())[-1]["type"] == "complete"
        assert await chat.next() == {"type": "pong"}
    assert await api.sql("SELECT count(*) FROM messages") == [(4,)]


async def test_cancel_with_nothing_to_cancel_is_no_error(api: Api) -> None:
    async with opened(api, await api.register()) as socket:
        await socket.send(type="cancel")
        assert await socket.alive()


async def test_a_message_and_its_cancel_at_once_still_have_one_end(replica: Api, model_server: OpenAIStub) -> None:
    model_server.script = [hanging()]
    async with opened(replica, await replica.register(), "s1") as socket:
        await socket.send(type="message", message=QUESTION)
        await socket.send(type="cancel")
        assert problem((await socket.rest_of_turn())[-1]) == (499, "cancelled")
        assert await socket.alive()


async def test_the_rate_limit_counts_each_turn(api: Api, redis: Redis) -> None:
    who = await api.register()
    async with opened(api, who) as socket:
        await emptied(redis, PER_USER, who.id, seconds=30)
        frame = (await socket.ask())[-1]
        assert problem(frame) == (429, "too-many-requests")
        assert 25 <= frame["problem"]["retry_after"] <= 30
        assert await socket.alive()


async def test_a_login_that_ends_meanwhile_is_told_so_and_may_be_renewed(api: Api) -> None:
    who = await api.register()
    dying, end = expiring(api.settings, who.access)
    async with raw(api, subprotocols=["bearer", dying]) as socket:
        assert (await socket.next())["type"] == "auth_success"
        await socket.answer()
        await until(lambda: time.time() > end)
        assert problem((await socket.ask())[-1]) == (401, "not-authenticated")
        await socket.send(type="auth", token=who.access)
        assert (await socket.next())["type"] == "auth_success"
        await socket.answer()


async def test_a_log_out_ends_an_open_connections_turns(api: Api) -> None:
    who = await api.register()
    async with opened(api, who) as socket:
        await socket.answer()
        await api.client.post("/api/v1/auth/logout", json={"refresh_token": who.refresh})
        assert problem((await socket.ask())[-1]) == (401, "not-authenticated")


async def test_a_connection_stays_with_its_account(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    async with opened(api, ana) as socket:
        await socket.send(type="auth", token=eve.access)
        assert (await socket.next())["type"] == "auth_error"
        assert await socket.closed() == 4401


async def test_a_handoff_comes_with_the_answer(api: Api) -> None:
    async with opened(api, await api.register()) as socket:
        complete = await socket.answer("I want to speak to a human")
    assert complete["handoff"].keys() == {"ticket", "reason", "status", "estimated_wait_minutes", "message"}
    assert (complete["handoff"]["reason"], complete["handoff"]["status"]) == ("user_request", "queued")


async def test_what_happens_on_websockets_is_measured(own_api: Api) -> None:
    api = own_api
    async with opened(api, await api.register()) as socket:
        await socket.answer()
        await socket.answer("I want to speak to a human")
        samples = await api.metrics()
    assert samples["websocket_connections"] == 1
    assert samples["chat_sessions_active"] == 1
    assert samples['requests_in_progress{endpoint="/ws/{session_id}"}'] == 0
    assert samples['request_latency_seconds_count{endpoint="/ws/{session_id}",method="WEBSOCKET"}'] == 2
    assert samples['task_completion_total{agent="specs",status="completed"}'] == 1
    assert samples['task_completion_total{agent="handoff",status="escalated"}'] == 1
    assert samples['task_duration_seconds_count{agent="specs",status="completed"}'] == 1
    await until(lambda: not api.app.state.connections._open)
    assert (await api.metrics())["websocket_connections"] == 0


def expiring(settings: Settings, token: str) -> tuple[str, int]:
    """The same login in a token that is good for two to three seconds more, and when it is good no longer."""
    key = settings.jwt_secret_key.get_secret_value()
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    end = int(time.time()) + 3
    return jwt.encode({**claims, "exp": end - CLOCK_LEEWAY_SECONDS}, key, algorithm="HS256"), end
