"""A real HTTP server on loopback that keeps every request and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recorded:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Recorder:
    """`status` and `reply` answer every request; while `gate` is not set, nothing is answered."""

    status: int = 200
    reply: bytes = b"{}"
    url: str = ""
    requests: list[Recorded] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """Everything that came, as text."""
        return "\n".join(f"{r.path}\n{r.headers}\n{r.body.decode(errors='replace')}" for r in self.requests)


@asynccontextmanager
async def recording(status: int = 200, reply: bytes = b"{}") -> AsyncIterator[Recorder]:
    """A started recorder; its connections are cut at the end."""
    recorder = Recorder(status, reply)
    recorder.gate.set()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while (request := await _read(reader)) is not None:
                recorder.requests.append(request)
                await recorder.gate.wait()
                head = f"HTTP/1.1 {recorder.status} Recorded\r\nContent-Type: application/json\r\n"
                writer.write(f"{head}Content-Length: {len(recorder.reply)}\r\n\r\n".encode() + recorder.reply)
                await writer.drain()
        except ConnectionError:
            return  # the client left
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield recorder
    finally:
        server.close()
        recorder.gate.set()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Recorded | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Recorded(first.split()[1], headers, await reader.readexactly(int(headers.get("content-length", "0"))))
