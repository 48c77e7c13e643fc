"""How connections end: the process goes, or a client does not read."""

import asyncio

import pytest
from redis.asyncio import Redis
from tests.app.chat.client import opened
from tests.app.chat.scripts import gated
from tests.app.conftest import QUESTION, Api, running_api, until
from tests.app.openai_stub import OpenAIStub, streamed

from genai_app import patience
from genai_app.settings import Settings

pytestmark = pytest.mark.service


async def test_a_process_that_ends_finishes_its_turns_and_sends_everybody_on(
    online: Settings, model_server: OpenAIStub
) -> None:
    gate = asyncio.Event()
    model_server.script = [gated(gate)]
    running = running_api(online)
    api = await running.__aenter__()
    who = await api.register()
    async with opened(api, who, "idle") as idle, opened(api, who, "busy") as busy:
        await busy.send(type="message", message=QUESTION)
        await asyncio.wait_for(model_server.arrived.wait(), timeout=20)
        ending = asyncio.create_task(running.__aexit__(None, None, None))
        assert await idle.closed() == 1012
        gate.set()
        assert (await busy.rest_of_turn())[-1]["type"] == "complete"
        assert await busy.closed() == 1012
        await ending
    assert await api.sql("SELECT count(*) FROM messages") == [(2,)]


async def test_a_client_that_does_not_read_is_cut_off_and_costs_nothing_more(
    online: Settings, model_server: OpenAIStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "READING_SECONDS", 0.3)
    model_server.script = [streamed("so much text " * 2000, finish=None, end=False, endless=True)]
    async with running_api(online, send_buffer=8192) as api:
        who = await api.register()
        async with opened(api, who) as socket:
            socket.wire.transport.pause_reading()
            await socket.send(type="message", message=QUESTION)
            await asyncio.wait_for(model_server.left.wait(), timeout=20)
            await until(lambda: not api.app.state.connections._open)
            socket.wire.transport.abort()
    assert await api.sql("SELECT count(*) FROM messages") == [(0,)]


async def test_a_reader_of_server_sent_events_who_does_not_read_is_cut_off(
    online: Settings, model_server: OpenAIStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "READING_SECONDS", 0.3)
    model_server.script = [streamed("so much text " * 2000, finish=None, end=False, endless=True)]
    async with running_api(online, send_buffer=8192) as api:
        who = await api.register()
        async with api.client.stream(
            "POST", "/api/v1/chat/stream", json={"message": QUESTION}, headers=who.headers
        ) as reply:
            assert reply.status_code == 200
            await asyncio.wait_for(model_server.left.wait(), timeout=20)


async def test_sessions_live_on_any_replica(replica: Api, other_replica: Api, redis: Redis) -> None:
    _ = redis
    who = await replica.register()
    async with opened(replica, who, "moving") as socket:
        await socket.answer()
    async with opened(other_replica, who, "moving") as socket:
        await socket.answer("And how often must it be changed?")
    history = await other_replica.client.get("/api/v1/chat/history/moving", headers=who.headers)
    assert len(history.json()["items"]) == 4
