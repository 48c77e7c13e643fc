"""How much is done: rounds and their length, the order of the sides, the longest time that anything may take; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

Side = TypeVar("Side")

SERVER_CORE: Final = 0
"""Of whatever is measured; everything else is on LOAD_CORE."""
LOAD_CORE: Final = 1


@dataclass(frozen=True)
class Plan:
    """`seconds` is one side's part of a round; `sessions` are WebSockets that are open at once.

    resources: how many the operator is given at once, round by round; alone: one after the other; fleet: how many are
    there when it is idle, and when it starts anew.
    """

    rounds: int
    seconds: int
    sessions: int
    connections: int = 8
    resources: int = 100
    alone: int = 10
    fleet: int = 400

    @property
    def longest(self) -> float:
        """Seconds after which a load generator that has not ended by itself is ended."""
        return self.seconds + 30.0


FULL: Final = Plan(rounds=5, seconds=6, sessions=10_000)
QUICK: Final = Plan(rounds=3, seconds=3, sessions=2_000, resources=20, alone=5, fleet=20)


def interleaved(plan: Plan, sides: Sequence[Side]) -> Iterator[tuple[int, Side]]:
    """A, B, A, B …: what changes on the machine meanwhile changes for all sides. Rounds count from 0."""
    for number in range(plan.rounds):
        for side in sides:
            yield number, side
