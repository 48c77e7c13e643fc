"""WebSocket clients, which wrk has none of: many idle sessions, and a few that ask and wait for the reply."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

AT_ONCE: Final = 50
"""Handshakes under way; more only make the clients wait."""
WELCOME_SECONDS: Final = 30


@asynccontextmanager
async def connections(url: str, number: int, *, token: str | None) -> AsyncIterator[list[ClientConnection]]:
    """So many open connections; with `token` each is logged in and has been told so."""
    gate = asyncio.Semaphore(AT_ONCE)
    opened: list[ClientConnection] = []

    async def one() -> None:
        async with gate, asyncio.timeout(WELCOME_SECONDS):
            connection = await connect(
                url, compression=None, ping_interval=None, proxy=None, max_queue=4,
                subprotocols=[Subprotocol("bearer"), Subprotocol(token)] if token else None,
            )  # fmt: skip
            opened.append(connection)
            if token:
                await connection.recv()

    async with AsyncExitStack() as stack:
        stack.push_async_callback(_close, opened)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(number):
                tasks.create_task(one())
        yield opened


async def ask_for(seconds: float, opened: Sequence[ClientConnection], frame: str) -> int:
    """Send `frame` on each connection, wait for its reply, again and again; gives the number of replies."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def one(connection: ClientConnection) -> int:
        replies = 0
        while loop.time() < end:
            await connection.send(frame)
            await connection.recv()
            replies += 1
        return replies

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one(connection)) for connection in opened]
    return sum(task.result() for task in running)


async def _close(opened: Sequence[ClientConnection]) -> None:
    for connection in opened:
        connection.transport.abort()
    await asyncio.gather(*(connection.wait_closed() for connection in opened))
