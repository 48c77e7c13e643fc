"""A WebSocket client of the chat, as a test speaks to it."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.app.conftest import QUESTION, Api, Login
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Frame = dict[str, Any]
SECONDS = 20


@dataclass(frozen=True)
class Socket:
    """A connection."""

    wire: ClientConnection

    async def send(self, **frame: Any) -> None:
        """A frame to the server."""
        await self.wire.send(json.dumps(frame))

    async def ask(self, message: str = QUESTION, **fields: Any) -> list[Frame]:
        """A turn: every frame up to its `complete` or `error`."""
        await self.send(type="message", message=message, **fields)
        return await self.rest_of_turn()

    async def answer(self, message: str = QUESTION, **fields: Any) -> Frame:
        """A turn's `complete`."""
        frames = await self.ask(message, **fields)
        assert frames[-1]["type"] == "complete", frames
        return frames[-1]

    async def rest_of_turn(self) -> list[Frame]:
        """The frames up to the next `complete` or `error`."""
        frames = [await self.next()]
        while frames[-1]["type"] not in {"complete", "error"}:
            frames.append(await self.next())
        return frames

    async def next(self) -> Frame:
        """The next frame."""
        frame: Frame = json.loads(await self.wire.recv(decode=True))
        return frame

    async def alive(self) -> bool:
        """Whether the server answers."""
        await self.send(type="ping")
        return await self.next() == {"type": "pong"}

    async def closed(self) -> int | None:
        """The code with which the server closes, once it does."""
        try:
            while True:
                await self.wire.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@asynccontextmanager
async def raw(
    api: Api, session: str = "chat", *, subprotocols: list[str] | None = None, receive_buffer: int | None = None
) -> AsyncIterator[Socket]:
    """A connection that nobody has authenticated, unless its subprotocols do.

    `receive_buffer`: bytes that the kernel takes while nobody reads.
    """
    address = api.client.base_url
    with socket.create_connection((address.host, address.port)) as connected:
        if receive_buffer is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        async with connect(
            f"ws://{address.host}:{address.port}/ws/{session}",
            sock=connected,
            proxy=None,
            subprotocols=[Subprotocol(name) for name in subprotocols] if subprotocols else None,
            close_timeout=SECONDS,
        ) as wire:
            yield Socket(wire)


@asynccontextmanager
async def opened(
    api: Api, who: Login, session: str = "chat", *, receive_buffer: int | None = None
) -> AsyncIterator[Socket]:
    """A connection of somebody."""
    async with raw(api, session, subprotocols=["bearer", who.access], receive_buffer=receive_buffer) as chat:
        assert (await chat.next())["type"] == "auth_success"
        yield chat


def problem(frame: Frame) -> tuple[int, str]:
    """Status and code of an `error` frame."""
    assert frame["type"] == "error", frame
    assert frame["problem"].keys() >= {"type", "title", "status", "detail", "request_id"}
    return frame["problem"]["status"], frame["problem"]["type"].removeprefix("urn:genai-auto:problem:")
