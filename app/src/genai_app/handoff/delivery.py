"""The background deliverer: takes due handoffs from the outbox and brings them to the desk until it has them.

One per process; any number of processes share the outbox. A handoff is delivered at least once: a crash between the
desk's reply and our note of it repeats the delivery with the same idempotency key.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg

from genai_app import db
from genai_app.errors import DatabaseDown
from genai_app.handoff import repository
from genai_app.handoff.desk import HandoffDesk, NotDelivered
from genai_app.handoff.repository import Claimed
from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_contract.metrics import HANDOFF_DEAD_LETTERS, HANDOFF_DELIVERIES, HANDOFF_OUTBOX_AGE, HANDOFF_OUTBOX_DEPTH

log = get_logger(__name__)

AT_ONCE: Final = 10
SHORTEST_SECONDS: Final = 0.05
"""When another process is just claiming what is due."""
LEASE_SECONDS: Final = 30.0
"""Longer than an attempt may take; after a crash in the middle of one, the next comes this much later."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 300.0
DATABASE_AWAY_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 30.0
"""Between two looks without a reason: only a crashed process's handoffs wait for one. New ones wake the deliverer."""


def pause(attempts: int, remaining: float, asked: float | None, jitter: float) -> float | None:
    """Seconds until the next attempt, None to give up; pure.

    Doubles from FIRST_PAUSE_SECONDS to LONGEST_PAUSE_SECONDS; `jitter` in 0..1 takes away up to half. `asked` is the
    desk's Retry-After. The last attempt is made when `remaining` is over.
    """
    if remaining <= 0:
        return None
    doubled = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE_SECONDS)
    return min(max(doubled * (1 - jitter / 2), asked or 0), remaining)


class Deliverer:
    """`wake` it when a handoff has been committed."""

    def __init__(self, pool: asyncpg.Pool, desk: HandoffDesk, metrics: Metrics, lease_seconds: float) -> None:
        self._pool = pool
        self._desk = desk
        self._metrics = metrics
        self._lease_seconds = lease_seconds
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """There is something to deliver."""
        self._awake.set()

    async def run(self) -> None:
        """For ever; survives whatever happens to the database or the desk."""
        while True:
            self._awake.clear()
            try:
                rest = await self._everything_due()
            except (DatabaseDown, asyncpg.UndefinedTableError):  # readiness says so already
                rest = DATABASE_AWAY_SECONDS
            except Exception:
                log.exception("handoff_delivery_stumbled")
                rest = LOOK_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._awake.wait()

    async def _everything_due(self) -> float:
        """Deliver what is due; gives the seconds until the next look."""
        while True:
            async with db.connection(self._pool) as connection:
                claimed = await repository.claim(connection, AT_ONCE, self._lease_seconds)
                if not claimed:
                    waiting = await repository.waiting(connection)
                    break
            for trouble in await asyncio.gather(*map(self._attempt, claimed), return_exceptions=True):
                if trouble is not None:
                    raise trouble
        self._metrics.set(HANDOFF_OUTBOX_DEPTH, waiting.depth)
        self._metrics.set(HANDOFF_OUTBOX_AGE, waiting.oldest)
        return LOOK_SECONDS if waiting.due_in is None else min(LOOK_SECONDS, max(waiting.due_in, SHORTEST_SECONDS))

    async def _attempt(self, claimed: Claimed) -> None:
        try:
            receipt = await self._desk.deliver(claimed.letter)
        except NotDelivered as failure:
            await self._failed(claimed, failure)
            return
        self._metrics.count(HANDOFF_DELIVERIES, desk=self._desk.name, outcome="delivered")
        async with db.connection(self._pool) as connection:
            await repository.delivered(
                connection, claimed.letter.id, self._desk.name, receipt, keep=self._desk.keeps_payload
            )

    async def _failed(self, claimed: Claimed, failure: NotDelivered) -> None:
        self._metrics.count(HANDOFF_DELIVERIES, desk=self._desk.name, outcome=failure.kind)
        again_in = pause(claimed.attempts, claimed.remaining, failure.wait, random.random())  # noqa: S311 - jitter
        async with db.connection(self._pool) as connection:
            changed = await repository.failed(connection, claimed, failure.kind, again_in)
        ticket, attempts = claimed.letter.ticket, claimed.attempts
        if again_in is not None:
            log.warning("handoff_not_delivered", ticket=ticket, kind=failure.kind, attempts=attempts, again_in=again_in)
        elif changed:
            self._metrics.count(HANDOFF_DEAD_LETTERS)
            log.error("handoff_given_up", ticket=ticket, kind=failure.kind, attempts=attempts)


@asynccontextmanager
async def delivering(
    pool: asyncpg.Pool, desk: HandoffDesk, metrics: Metrics, lease_seconds: float = LEASE_SECONDS
) -> AsyncIterator[Deliverer]:
    """A deliverer that runs within the block; an attempt that the end cuts off is made again later."""
    deliverer = Deliverer(pool, desk, metrics, lease_seconds)
    running = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
