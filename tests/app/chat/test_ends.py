"""How connections end: the process goes, or a client does not read."""

import asyncio

import httpx2
import pytest
from redis.asyncio import Redis
from tests.app.chat.client import Socket, opened
from tests.app.chat.scripts import gated
from tests.app.conftest import QUESTION, Api, Servers, running_api, until
from tests.app.openai_stub import OpenAIStub

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


async def test_a_client_that_does_not_read_its_frames_is_cut_off(
    servers: Servers, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "READING_SECONDS", 0.3)
    async with running_api(servers.settings(database), send_buffer=8192) as api:
        who = await api.register()
        async with opened(api, who, receive_buffer=8192) as chat:
            chat.wire.transport.pause_reading()
            sending = asyncio.create_task(send_for_ever(chat))
            await until(lambda: not api.app.state.connections._open)
            sending.cancel()
            await asyncio.wait([sending])
            chat.wire.transport.abort()


async def send_for_ever(chat: Socket) -> None:
    """Frames that each get an answer."""
    while True:
        await chat.send(type="unknown")


async def test_a_client_that_does_not_read_its_reply_is_cut_off(
    servers: Servers, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_api(servers.settings(database), send_buffer=8192) as api:
        who = await api.register()
        await api.chat(who, session_id="s1")
        await api.sql(
            "INSERT INTO messages (conversation_id, role, content) "
            "SELECT id, 'user', repeat('x', 8000) FROM conversations, generate_series(1, 60)"
        )
        monkeypatch.setattr(patience, "READING_SECONDS", 0)
        with pytest.raises(httpx2.TransportError):
            await api.client.get("/api/v1/chat/history/s1", params={"limit": "100"}, headers=who.headers)


async def test_sessions_live_on_any_replica(replica: Api, other_replica: Api, redis: Redis) -> None:
    _ = redis
    who = await replica.register()
    async with opened(replica, who, "moving") as socket:
        await socket.answer()
    async with opened(other_replica, who, "moving") as socket:
        await socket.answer("And how often must it be changed?")
    history = await other_replica.client.get("/api/v1/chat/history/moving", headers=who.headers)
    assert len(history.json()["items"]) == 4
