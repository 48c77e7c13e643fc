"""How turns end, as metrics: how many tasks were done, how long they took, and how many conversations are alive.

A task is one turn: `completed` when the customer got an answer, `escalated` when a person takes over, `abandoned` when
it ended without an answer, because the customer left, cancelled it, or it failed.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from genai_app.chat.ask import Turn
from genai_app.chat.events import Complete
from genai_app.metrics import Metrics
from genai_contract.metrics import CHAT_SESSIONS, TASK_COMPLETION, TASK_DURATION

ACTIVE_SECONDS: Final = 300.0
"""A conversation without a turn for so long is no longer active."""

NOBODY: Final = "none"
"""The agent's label of a turn that ended before any agent had an answer."""


class Outcome:
    """Of one turn. It is abandoned until its answer is stored."""

    def __init__(self) -> None:
        self.status = "abandoned"
        self.agent = NOBODY

    def reached(self, complete: Complete) -> Complete:
        """The answer is stored; gives it back."""
        self.status = "escalated" if complete.handoff else "completed"
        self.agent = complete.answer.agent
        return complete


class Outcomes:
    """One per process; `close` it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._active: OrderedDict[tuple[object, str], float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def of(self, turn: Turn) -> Iterator[Outcome]:
        """Watch a turn from its beginning to its end, whatever that is."""
        self._touch((turn.user_id, turn.session_id))
        outcome, started = Outcome(), time.perf_counter()
        try:
            yield outcome
        finally:
            seconds = time.perf_counter() - started
            self._metrics.count(TASK_COMPLETION, status=outcome.status, agent=outcome.agent)
            self._metrics.observe(TASK_DURATION, seconds, agent=outcome.agent, status=outcome.status)

    def close(self) -> None:
        """Stop counting: the process ends."""
        if self._timer is not None:
            self._timer.cancel()

    def _touch(self, session: tuple[object, str]) -> None:
        self._active[session] = time.monotonic()
        self._active.move_to_end(session)
        self._count()

    def _count(self) -> None:
        """Forget conversations that are over; look again when the next one will be."""
        now = time.monotonic()
        while self._active and now - next(iter(self._active.values())) >= ACTIVE_SECONDS:
            self._active.popitem(last=False)
        self._metrics.set(CHAT_SESSIONS, len(self._active))
        if self._timer is None and self._active:
            wait = ACTIVE_SECONDS - (now - next(iter(self._active.values())))
            self._timer = asyncio.get_running_loop().call_later(wait, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._count()
