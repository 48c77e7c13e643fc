"""A support desk on loopback that a test scripts: it keeps what it gets, byte for byte, and answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

GOOD = {"escalation_id": "T-1", "status": "assigned", "estimated_wait_time": 3, "agent_name": "Rui", "message": "Hi"}


@dataclass(frozen=True)
class Reply:
    """One reply. `hangs` never answers, `resets` hangs up."""

    status: int = 200
    body: bytes = json.dumps(GOOD).encode()
    headers: tuple[tuple[str, str], ...] = ()
    hangs: bool = False
    resets: bool = False


@dataclass(frozen=True)
class Received:
    """A request: header names in lower case, the body as it was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass
class Desk:
    """`script` is played in order, its last reply for ever; empty: everything is accepted."""

    url: str = ""
    script: list[Reply] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)

    def reply(self) -> Reply:
        if not self.script:
            return Reply()
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @property
    def tickets(self) -> list[str]:
        """The tickets in the order of their arrival."""
        return [one.json["metadata"]["ticket"] for one in self.received]


@asynccontextmanager
async def running_desk() -> AsyncIterator[Desk]:
    """The desk on a free port; every connection is closed at the end."""
    desk = Desk()
    server = await asyncio.start_server(lambda reader, writer: _serve(desk, reader, writer), "127.0.0.1", 0)
    desk.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhook?key=s3cret-in-the-url"
    try:
        yield desk
    finally:
        server.close()
        for writer in desk.connections:
            writer.transport.abort()
        await server.wait_closed()


async def _serve(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    desk.connections.add(writer)
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            desk.received.append(Received(first.split()[1], headers, body))
            reply = desk.reply()
            if reply.hangs:
                await reader.read()
            if reply.hangs or reply.resets:
                return
            extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
            writer.write(
                f"HTTP/1.1 {reply.status} X\r\nContent-Length: {len(reply.body)}\r\n{extra}\r\n".encode() + reply.body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        desk.connections.discard(writer)
        writer.transport.abort()
