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
    """One reply. `promised` is the Content-Length (None: the true one); `hangs` never answers, `resets` hangs up.

    With `pieces` the reply is a stream of them, each sent by itself; `hangs` and `resets` then come after the last one,
    and `endless` repeats the last one until the client has left. Nothing is sent before `gate` is set, if there is one.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    promised: int | None = None
    hangs: bool = False
    resets: bool = False
    pieces: tuple[bytes, ...] = ()
    endless: bool = False
    gate: asyncio.Event | None = None


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
    left: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)

    def answer(self, request: Request) -> Reply:
        """The next reply of the script, or a good one."""
        if self.script:
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if request.path.endswith("/embeddings"):
            return embeddings(request, self.dimension)
        return streamed(*_words(self.text)) if request.json.get("stream") else chat(self.text)


def chat(content: Any, *, usage: Any = None, **message: Any) -> Reply:
    """A chat completion with `content`."""
    return as_json(
        {
            "id": "1",
            "model": "stub-model",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **message}}],
            "usage": USAGE if usage is None else usage,
        }
    )


USAGE = {"prompt_tokens": 11, "completion_tokens": 7}


def streamed(*texts: str, usage: Any = None, finish: str | None = "stop", end: bool = True, **how: Any) -> Reply:
    """A chat completion that comes as `texts`, one event each; `how` are fields of Reply."""
    return events(*(delta(content=text) for text in texts), usage=usage, finish=finish, end=end, **how)


def delta(**fields: Any) -> dict[str, Any]:
    """One event's JSON."""
    return {"id": "1", "model": "stub-model", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def events(*values: Any, usage: Any = None, finish: str | None = "stop", end: bool = True, **how: Any) -> Reply:
    """A stream of JSON events, the reason of its finish and its usage (None: neither), and `[DONE]` if it ends."""
    ending: list[Any] = []
    if finish is not None:
        ending.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        ending.append({"choices": [], "usage": USAGE if usage is None else usage})
    pieces = [f"data: {json.dumps(value)}\n\n".encode() for value in (*values, *ending)]
    done = [b"data: [DONE]\n\n"] if end else []
    return Reply(pieces=(*pieces, *done), headers=(("Content-Type", "text/event-stream"),), **how)


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
            if reply.gate is not None:
                await reply.gate.wait()
            if reply.pieces:
                await _write_pieces(writer, reply)
            if reply.hangs:
                await reader.read()
                stub.left.set()
            if reply.pieces and reply.resets:
                return  # what was sent arrives; the rest of the stream does not
            if reply.hangs or reply.resets:
                writer.transport.abort()
                return
            if reply.pieces:
                continue
            await _write(writer, reply)
            if reply.promised is not None:
                return
    except ConnectionError:
        stub.left.set()  # the client left: some tests make it
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


async def _write_pieces(writer: asyncio.StreamWriter, reply: Reply) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (*reply.headers, ("Transfer-Encoding", "chunked")))
    writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{lines}\r\n".encode())
    for piece in reply.pieces:
        writer.write(_chunk(piece))
        await writer.drain()
    while reply.endless:
        writer.write(_chunk(reply.pieces[-1]))
        await writer.drain()
        await asyncio.sleep(0)  # a write to a fast reader never waits: others get their turn
    if not (reply.hangs or reply.resets):
        writer.write(_chunk(b""))
        await writer.drain()


def _chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def _words(text: str) -> list[str]:
    """The pieces of a text, as models give them."""
    return [f"{word} " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]


def _bag_of_words(text: str, dimension: int) -> list[float]:
    vector = [0.0] * dimension
    for word in text.lower().split():
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % dimension] += 1.0
    return vector
