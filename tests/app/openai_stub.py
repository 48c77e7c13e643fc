"""A real HTTP server on loopback that speaks OpenAI's wire format, or breaks it as a test scripts it."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One reply. `promised` is the Content-Length (None: the true one); `hangs` never answers, `resets` hangs up."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    promised: int | None = None
    hangs: bool = False
    resets: bool = False


@dataclass(frozen=True)
class Request:
    """What the client sent, and when (`time.monotonic()`)."""

    at: float
    path: str
    headers: dict[str, str]
    json: dict[str, Any]


@dataclass
class OpenAIStub:
    """`script` is played in order, its last reply for ever; empty: every request is answered as a good server does."""

    dimension: int = 768
    script: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    text: str = "The engine takes 5W-30."
    base_url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)

    def answer(self, request: Request) -> Reply:
        """The next reply of the script, or a good one."""
        if self.script:
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return embeddings(request, self.dimension) if request.path.endswith("/embeddings") else chat(self.text)


def chat(content: Any, *, usage: Any = None, **message: Any) -> Reply:
    """A chat completion with `content`."""
    return as_json(
        {
            "id": "1",
            "model": "stub-model",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **message}}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7} if usage is None else usage,
        }
    )


def embeddings(request: Request, dimension: int) -> Reply:
    """Vectors that depend on the words of each text, in reversed order: a client must go by `index`."""
    rows = [
        {"index": index, "embedding": _bag_of_words(text, dimension)}
        for index, text in enumerate(request.json["input"])
    ]
    return as_json({"data": rows[::-1], "model": request.json["model"]})


def as_json(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """`value` as a reply."""
    return Reply(status, json.dumps(value).encode(), headers)


@asynccontextmanager
async def running_stub(dimension: int = 768) -> AsyncIterator[OpenAIStub]:
    """The server on a free loopback port; every connection is closed at the end."""
    stub = OpenAIStub(dimension)
    server = await asyncio.start_server(lambda reader, writer: _serve(stub, reader, writer), "127.0.0.1", 0)
    stub.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield stub
    finally:
        server.close()
        for writer in stub.connections:
            writer.transport.abort()
        await server.wait_closed()


async def _serve(stub: OpenAIStub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    stub.connections.add(writer)
    try:
        while (request := await _read(reader)) is not None:
            stub.requests.append(request)
            stub.arrived.set()
            reply = stub.answer(request)
            if reply.hangs:
                await reader.read()
            if reply.hangs or reply.resets:
                writer.transport.abort()
                return
            await _write(writer, reply)
            if reply.promised is not None:
                return
    except ConnectionError:
        return  # the client left: some tests make it
    finally:
        stub.connections.discard(writer)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Request(time.monotonic(), first.split()[1], headers, json.loads(body))


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    length = len(reply.body) if reply.promised is None else reply.promised
    headers: Sequence[tuple[str, str]] = (
        ("Content-Type", "application/json"),
        ("Content-Length", str(length)),
        *reply.headers,
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{lines}\r\n".encode() + reply.body)
    await writer.drain()


def _bag_of_words(text: str, dimension: int) -> list[float]:
    vector = [0.0] * dimension
    for word in text.lower().split():
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % dimension] += 1.0
    return vector
