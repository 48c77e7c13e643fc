"""Runs a turn for as long as somebody waits for it: into one reply, or event by event.

The turn runs in a task of its own, so that it is stopped once, in order: what it must settle on the way, it settles.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar, cast

import anyio
from starlette.requests import Request

from genai_app.chat.events import Complete, Event
from genai_app.errors import Cancelled

WAITING_EVENTS = 64
"""A turn that is so far ahead of its reader waits."""

Result = TypeVar("Result")


async def last(events: AsyncGenerator[Event]) -> Complete:
    """The event that ends a turn well, once everything that follows it is done as well."""
    complete: Complete | None = None
    async with aclosing(events):
        async for event in events:
            complete = event if isinstance(event, Complete) else None
    return cast("Complete", complete)  # a turn ends with it, or with an error


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is stopped when the client leaves: raises Cancelled then, for the log alone."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
        if working.cancelled():
            raise Cancelled("The client left before the answer was there.")
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


@asynccontextmanager
async def running(events: AsyncGenerator[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    """The events, from a task that ends with the block. Iterating raises what the turn raises."""
    sending, arriving = anyio.create_memory_object_stream[Event](WAITING_EVENTS)

    async def forward() -> None:
        async with sending, aclosing(events):
            async for event in events:
                await sending.send(event)

    async def taken() -> AsyncIterator[Event]:
        async for event in arriving:
            yield event
        await task

    task = asyncio.create_task(forward())
    try:
        async with arriving:
            yield taken()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
