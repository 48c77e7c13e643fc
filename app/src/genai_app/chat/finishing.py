"""For work that must not stop half-way, whoever cancels the task that waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which a cancellation cannot stop any more: it comes too late, and is forgotten.

    Whoever cancels while a turn is being stored hears that it is complete.
    """
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
        except Exception:  # noqa: BLE001 - it is raised below, from the task itself
            break
    return task.result()
