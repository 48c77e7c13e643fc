"""Waiting for a condition of the outside world instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TimedOut(Exception):
    """The condition did not come true in time; the text has the last thing that was seen."""


def eventually(look: Callable[[], T | None], within: float, every: float = 0.2) -> T:
    """The first true value of `look`. Raises TimedOut with the last value or error after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            seen: object = look()
            if seen:
                return seen  # type: ignore[return-value]  # true, so it is a T
        except Exception as error:  # noqa: BLE001 - the world is changing while we look: the last error is reported
            seen = error
        if time.monotonic() > deadline:
            raise TimedOut(f"after {within:.0f} s the last look gave {seen!r}")
        time.sleep(every)
