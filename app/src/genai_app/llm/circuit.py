"""When a model that keeps failing is left alone, so that no turn waits for it again; pure, the clock comes in."""

from dataclasses import dataclass
from typing import Final

THRESHOLD: Final = 3
"""Failures in a row, each with its retries."""
PAUSE_SECONDS: Final = 15.0
LONGEST_WAIT_SECONDS: Final = 300.0


@dataclass
class Circuit:
    """Closed: everybody may call. Open after THRESHOLD failures: nobody, and after each pause one call as a trial."""

    failures: int = 0
    next_trial: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it has failed too often, lately and without a success since."""
        return self.failures >= THRESHOLD

    def allows(self, now: float) -> bool:
        """Whether a call may be made; a trial keeps the others out for as long as a pause."""
        if not self.is_open:
            return True
        if now < self.next_trial:
            return False
        self.next_trial = now + PAUSE_SECONDS
        return True

    def failed(self, now: float, asked_to_wait: float | None) -> None:
        """A server that asks to be left alone is, at once."""
        self.failures = max(self.failures + 1, THRESHOLD if asked_to_wait else 0)
        wait = min(asked_to_wait, LONGEST_WAIT_SECONDS) if asked_to_wait else PAUSE_SECONDS
        self.next_trial = now + wait

    def succeeded(self) -> None:
        """One success closes it."""
        self.failures = 0
