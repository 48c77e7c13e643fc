"""The work queue: a key waits once, is worked on by one worker at a time, and comes back later after a failure."""

import asyncio
import math
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from genai_operator.errors import OperatorError, Unavailable
from genai_operator.manifests import Ref
from genai_operator.metrics import Metrics

BATCH_SECONDS: Final = 0.1
"""A change waits this long for others of the same instance."""
BACKOFF_SECONDS: Final = (1.0, 60.0)
LONGEST_RECONCILE_SECONDS: Final = 180.0
"""A reconcile that takes longer is cancelled; one that cannot even be cancelled makes the operator unhealthy."""

FORGET: Final = math.inf
"""What the work returns for a key that need not be looked at again: the resource is gone."""

log = structlog.get_logger(__name__)
Work = Callable[[Ref], Awaitable[float]]
"""Does the work for one key; returns the seconds after which to look again."""


def backoff(failures: int, retry_after: float = 0.0) -> float:
    """Seconds to wait after so many failures in a row: doubled each time up to a minute, with jitter against herds."""
    first, longest = BACKOFF_SECONDS
    wait = min(first * 2 ** min(failures - 1, 16), longest)
    jittered: float = wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
    return max(jittered, retry_after)


class WorkQueue:
    """Keys to reconcile. Safe within one event loop."""

    def __init__(self, work: Work, metrics: Metrics, workers: int) -> None:
        self._work = work
        self._metrics = metrics
        self._workers = workers
        self._ready: asyncio.Queue[Ref | None] = asyncio.Queue()
        self._waiting: set[Ref] = set()
        self._again: set[Ref] = set()
        self._started: dict[Ref, float] = {}
        self._failures: dict[Ref, int] = {}
        self._timers: dict[Ref, tuple[float, asyncio.Handle]] = {}
        self._stopping = False

    def add(self, key: Ref, delay: float = 0.0) -> None:
        """Work on a key after `delay` seconds; the earliest wish wins."""
        loop = asyncio.get_running_loop()
        when = loop.time() + delay  # kept here: the handle of uvloop has no time where there is nothing to wait for
        if key in self._timers:
            known, timer = self._timers[key]
            if known <= when:
                return
            timer.cancel()
        self._timers[key] = when, loop.call_later(delay, self._due, key)

    def asked(self, key: Ref) -> None:
        """Work on a key now: somebody changed what is wanted."""
        self.add(key)

    def changed(self, key: Ref) -> None:
        """Work on a key soon: something about it changed, and more may follow."""
        self.add(key, BATCH_SECONDS)

    def healthy(self) -> bool:
        """Whether no worker is stuck."""
        oldest = min(self._started.values(), default=time.monotonic())
        return time.monotonic() - oldest < LONGEST_RECONCILE_SECONDS * 1.5

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then finish what has begun and return."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._worker())
            await stop.wait()
            self._stopping = True
            for _, timer in self._timers.values():
                timer.cancel()
            for _ in range(self._workers):
                self._ready.put_nowait(None)

    def _due(self, key: Ref) -> None:
        del self._timers[key]
        if key in self._started:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)
            self._metrics.queue_depth.set(len(self._waiting))

    async def _worker(self) -> None:
        while True:
            key = await self._ready.get()
            if key is None or self._stopping:
                return
            self._waiting.discard(key)
            self._metrics.queue_depth.set(len(self._waiting))
            self._started[key] = time.monotonic()
            delay = await self._once(key)
            del self._started[key]
            if key in self._again:
                self._again.discard(key)
                delay = min(delay, BATCH_SECONDS)
            if not self._stopping and delay != FORGET:
                self.add(key, delay)

    async def _once(self, key: Ref) -> float:
        """One reconcile; the seconds until the next."""
        with structlog.contextvars.bound_contextvars(resource=str(key), reconcile_id=uuid.uuid4().hex[:8]):
            try:
                with self._metrics.reconcile_seconds.time():
                    async with asyncio.timeout(LONGEST_RECONCILE_SECONDS):
                        delay = await self._work(key)
            except Exception as error:  # noqa: BLE001 - the boundary of one key: others go on, this one is tried again
                return self._failed(key, error)
        self._failures.pop(key, None)
        self._metrics.reconciles.labels("success").inc()
        return delay

    def _failed(self, key: Ref, error: Exception) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = backoff(failures, error.retry_after if isinstance(error, Unavailable) else 0.0)
        self._metrics.reconciles.labels("error").inc()
        expected = isinstance(error, OperatorError | TimeoutError)
        log.warning(
            "reconcile.failed",
            error=str(error) or type(error).__name__,
            again_in_seconds=round(delay, 1),
            exc_info=None if expected else error,
        )
        return delay
