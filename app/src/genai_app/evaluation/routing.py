"""How often a question finds its agent, on labelled questions that the router has not seen; with a confusion table."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final, NamedTuple

from genai_app.agents.graph import NAMES
from genai_app.agents.routing import UNSURE, Choice, Router
from genai_app.evaluation.report import Cell, Goal, Report, Table
from genai_app.llm.vocabulary import language

LEAST_ACCURACY: Final = 0.90
LEAST_ASKED: Final = 150


class Labelled(NamedTuple):
    """A question and the agent that should answer it."""

    agent: str
    question: str


class Row(NamedTuple):
    """A labelled question and what the router made of it."""

    asked: Labelled
    choice: Choice

    @property
    def right(self) -> bool:
        """Whether the question found its agent."""
        return self.choice.agent == self.asked.agent


def load() -> tuple[Labelled, ...]:
    """The set that comes with this package; none of it is among the router's examples."""
    content = (files("genai_app.evaluation") / "data" / "routing.jsonl").read_text(encoding="utf-8")
    return tuple(Labelled(**json.loads(line)) for line in content.splitlines())


async def report(router: Router, step: Callable[[], None] = lambda: None) -> Report:
    """Route them all; `step` is called after each."""
    rows = []
    for asked in load():
        rows.append(Row(asked, await router.choose(asked.question)))
        step()
    return evaluate_routing(rows)


def evaluate_routing(rows: Sequence[Row]) -> Report:
    """Accuracy by language and by confidence, who was taken for whom, and each mistake; pure."""
    pairs = Counter((row.asked.agent, row.choice.agent) for row in rows)
    confusion: tuple[tuple[Cell, ...], ...] = tuple(
        (agent, *(pairs[agent, chosen] for chosen in NAMES)) for agent in NAMES
    )
    groups = {
        "all": rows,
        "English": [row for row in rows if language(row.asked.question) == "en"],
        "Portuguese": [row for row in rows if language(row.asked.question) == "pt"],
        f"sure (confidence ≥ {UNSURE})": [row for row in rows if row.choice.confidence >= UNSURE],
        "unsure": [row for row in rows if row.choice.confidence < UNSURE],
    }
    accuracy = tuple((name, len(group), _accuracy(group)) for name, group in groups.items())
    mistakes = tuple(
        (row.asked.question, row.asked.agent, row.choice.agent, row.choice.confidence, row.choice.method)
        for row in rows
        if not row.right
    )
    return Report(
        "routing",
        (
            Table(
                "Questions by the agent that should answer, and the one that was chosen", ("should", *NAMES), confusion
            ),
            Table("Accuracy", ("questions", "asked", "accuracy"), accuracy),
            Table("Mistakes", ("question", "should", "chosen", "confidence", "method"), mistakes),
        ),
        (
            Goal("accuracy", _accuracy(rows), LEAST_ACCURACY, "at least"),
            Goal("questions asked", float(len(rows)), LEAST_ASKED, "at least"),
        ),
    )


def _accuracy(rows: Sequence[Row]) -> float:
    return sum(row.right for row in rows) / len(rows) if rows else 0.0
