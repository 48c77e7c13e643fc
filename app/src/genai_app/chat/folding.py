"""Turns a turn's events into one reply, for as long as somebody waits for it."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar, cast

from starlette.requests import Request

from genai_app.chat.events import Complete, Event
from genai_app.errors import Cancelled

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


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
