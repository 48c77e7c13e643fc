"""What an evaluation comes to: tables to read and goals that are met or not; as a terminal shows it, or as JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table as RichTable

Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """Rows under their columns; floats are ratios of 0..1 and shown with four digits."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Goal:
    """A measured value and its bound."""

    name: str
    value: float
    bound: float
    kind: Literal["at least", "at most"]

    @property
    def met(self) -> bool:
        """Whether the value is within the bound."""
        return self.value >= self.bound if self.kind == "at least" else self.value <= self.bound


@dataclass(frozen=True)
class Report:
    """One evaluation: `name` is the word after `genai-auto evaluate`."""

    name: str
    tables: tuple[Table, ...]
    goals: tuple[Goal, ...]

    @property
    def met(self) -> bool:
        """Whether every goal is."""
        return all(goal.met for goal in self.goals)


def as_json(report: Report) -> str:
    """The report as one JSON object, each goal with `met`."""
    goals = [{**asdict(goal), "met": goal.met} for goal in report.goals]
    return json.dumps({**asdict(report), "goals": goals, "met": report.met}, indent=2, ensure_ascii=False)


def show(report: Report, console: Console) -> None:
    """The report as tables."""
    for table in (*report.tables, _goals(report)):
        shown = RichTable(title=table.title, title_justify="left", header_style="bold")
        for place, column in enumerate(table.columns):
            shown.add_column(column, justify="left" if place == 0 else "right")
        for row in table.rows:
            shown.add_row(*(_text(cell) for cell in row))
        console.print(shown)


def _goals(report: Report) -> Table:
    rows = tuple((g.name, g.value, f"{g.kind} {g.bound:g}", "ok" if g.met else "short") for g in report.goals)
    return Table(f"{report.name}: goals", ("goal", "measured", "wanted", ""), rows)


def _text(cell: Cell) -> str:
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)
