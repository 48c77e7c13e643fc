"""The work queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from genai_operator import queueing
from genai_operator.errors import Refused, Unavailable
from genai_operator.manifests import Ref
from genai_operator.metrics import Metrics
from genai_operator.queueing import FORGET, WorkQueue, backoff

A, B = Ref("ns", "a"), Ref("ns", "b")


@asynccontextmanager
async def running(work: Callable[[Ref], Awaitable[float]]) -> AsyncIterator[WorkQueue]:
    """A queue with two workers, stopped at the end."""
    queue, stop = WorkQueue(work, Metrics(), workers=2), asyncio.Event()
    task = asyncio.create_task(queue.run(stop))
    yield queue
    stop.set()
    async with asyncio.timeout(5):
        await task


class Work:
    """Records what was worked on; blocks while `gate` is closed."""

    def __init__(self) -> None:
        self.done: list[Ref] = []
        self.active = 0
        self.most_active = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.progress = asyncio.Condition()

    async def __call__(self, key: Ref) -> float:
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        async with self.progress:
            self.progress.notify_all()
        await self.gate.wait()
        self.active -= 1
        self.done.append(key)
        async with self.progress:
            self.progress.notify_all()
        return FORGET

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self.progress:
            await self.progress.wait_for(condition)


async def test_many_changes_of_one_key_are_one_piece_of_work() -> None:
    work = Work()
    async with running(work) as queue:
        for _ in range(50):
            queue.changed(A)
        queue.add(B, queueing.BATCH_SECONDS * 3)
        await work.until(lambda: B in work.done)
    assert work.done == [A, B]


def test_many_wishes_at_once_are_one_piece_of_work_on_the_loop_of_the_operator() -> None:
    work = Work()

    async def wish() -> None:
        async with running(work) as queue:
            for _ in range(50):
                queue.asked(A)
                queue.changed(A)
                queue.add(A, queueing.BATCH_SECONDS * 3)
            queue.add(B, queueing.BATCH_SECONDS * 5)
            await work.until(lambda: B in work.done)

    uvloop.run(wish())
    assert work.done == [A, B]


async def test_a_key_is_never_worked_on_twice_at_once_and_no_change_is_lost() -> None:
    work = Work()
    work.gate.clear()
    async with running(work) as queue:
        queue.add(A)
        await work.until(lambda: work.active == 1)
        queue.add(A)
        queue.add(B)
        await work.until(lambda: work.active == 2)
        work.gate.set()
        await work.until(lambda: work.done.count(A) == 2)
    assert sorted(work.done) == [A, A, B]


async def test_stopping_finishes_what_has_begun_and_nothing_else() -> None:
    work = Work()
    work.gate.clear()
    async with running(work) as queue:
        queue.add(A)
        await work.until(lambda: work.active == 1)
        queue.add(B, 60)
        asyncio.get_running_loop().call_later(0.05, work.gate.set)
    assert work.done == [A]


async def test_a_failure_is_tried_again_and_other_keys_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "BACKOFF_SECONDS", (0.01, 0.01))
    tries: list[Ref] = []
    finished = asyncio.Event()

    async def work(key: Ref) -> float:
        tries.append(key)
        if key == A and tries.count(A) < 3:
            raise Refused("not yet")
        if tries.count(A) == 3 and B in tries:
            finished.set()
        return FORGET

    async with running(work) as queue, asyncio.timeout(5):
        queue.add(A)
        queue.add(B)
        await finished.wait()
    assert tries.count(A) == 3


async def test_a_bug_does_not_end_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "BACKOFF_SECONDS", (0.01, 0.01))
    calls = 0
    recovered = asyncio.Event()

    async def work(key: Ref) -> float:
        nonlocal calls
        calls += 1
        if calls < 4:
            raise KeyError(str(key))
        recovered.set()
        return FORGET

    async with running(work) as queue, asyncio.timeout(5):
        queue.add(A)
        await recovered.wait()


async def test_a_reconcile_that_hangs_makes_the_operator_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    work.gate.clear()
    async with running(work) as queue:
        assert queue.healthy()
        queue.add(A)
        await work.until(lambda: work.active == 1)
        assert queue.healthy()
        monkeypatch.setattr(queueing, "LONGEST_RECONCILE_SECONDS", -1.0)
        assert not queue.healthy()
        work.gate.set()


def test_waits_double_up_to_a_minute_and_respect_retry_after() -> None:
    for failures, longest in ((1, 1.0), (2, 2.0), (4, 8.0), (7, 60.0), (100, 60.0)):
        assert longest / 2 <= backoff(failures) <= longest
    assert backoff(1, retry_after=30) == 30
    assert Unavailable("busy", 7.0).retry_after == 7.0
