"""The bridge carries bytes both ways and closes when either side does."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from genai_testbed import bridge


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each chunk in capitals until the client closes."""
    while data := await reader.read(1024):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(bridge.serve(listener, server.sockets[0].getsockname()[1]))
    yield listener.getsockname()[1]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()


async def test_bytes_go_both_ways(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
    writer.close()
    assert await reader.read() == b""


async def test_nobody_behind_it_is_a_closed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nobody = unused.getsockname()[1]
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(bridge.serve(listener, nobody))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    assert await reader.read() == b""
    writer.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
