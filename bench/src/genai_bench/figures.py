"""Figures and what they mean: samples of interleaved rounds, their ratio, the verdict on it; pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median
from typing import Any, Final, Self

CPU: Final = "µs CPU a request"


class Sense(StrEnum):
    """Which side of the goal is good."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True)
class Goal:
    """`now` is what this milestone asks, `aim` what the design asks in the end."""

    sense: Sense
    now: float
    aim: float

    def met(self, value: float) -> bool:
        """Whether `value` is good enough now."""
        return value <= self.now if self.sense is Sense.AT_MOST else value >= self.now

    def __str__(self) -> str:
        aim = "" if self.aim == self.now else f" (aim {self.sense}{self.aim:g})"
        return f"{self.sense}{self.now:g}{aim}"


@dataclass(frozen=True)
class Row:
    """One line of a result: what we take and what the peer takes, round by round, in `unit`.

    The compared value is ours ÷ peer; peer ÷ ours when `inverted` (a rate, by the CPU that each request takes); our own
    median when there is no `peer` to compare with.
    """

    name: str
    unit: str
    ours: tuple[float, ...]
    peer: tuple[float, ...]
    goal: Goal
    inverted: bool = False

    @property
    def compared(self) -> float:
        """The median over the rounds of each round's own ratio: what slows a round down slows both of its sides."""
        if not self.peer:
            return median(self.ours)
        pairs = zip(self.ours, self.peer, strict=True)
        return median((theirs / own) if self.inverted else (own / theirs) for own, theirs in pairs)

    @property
    def verdict(self) -> str:
        """`ok`, or `short` of the goal."""
        return "ok" if self.goal.met(self.compared) else "short"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The row that `as_json` wrote."""
        goal = value["goal"]
        return cls(
            name=value["name"],
            unit=value["unit"],
            ours=tuple(value["ours"]),
            peer=tuple(value["peer"]),
            goal=Goal(Sense(goal["sense"]), goal["now"], goal["aim"]),
            inverted=value["inverted"],
        )

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured, and what follows from it."""
        return {**asdict(self), "compared": round(self.compared, 4), "verdict": self.verdict}


def cells(row: Row) -> tuple[str, ...]:
    """A row as text: name, ours, peer, ratio, goal, verdict. Times are `median (minimum)`."""
    ratio = f"{row.compared:.2f}" if row.peer else "–"
    return row.name, _spread(row.ours), _spread(row.peer), ratio, str(row.goal), row.verdict


def _spread(samples: Sequence[float]) -> str:
    if not samples:
        return "–"
    if len(samples) == 1:
        return _number(samples[0])
    return f"{_number(median(samples))} ({_number(min(samples))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, aligned."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


HEADINGS: Final = ("name", "ours", "peer", "ratio", "goal", "ok|short")
