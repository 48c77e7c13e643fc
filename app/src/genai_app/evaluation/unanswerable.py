"""Whether questions that the manuals do not answer are answered all the same: every such answer is invented."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final, NamedTuple

from genai_app.agents.answering import Agents
from genai_app.agents.conversation import Answer, Question
from genai_app.evaluation.report import Goal, Report, Table

MOST_INVENTED: Final = 0
LEAST_ASKED: Final = 20
LONGEST_SHOWN: Final = 70
"""Characters of an invented answer in the table."""


class Unanswerable(NamedTuple):
    """A question without an answer in the seed documents."""

    language: str
    question: str


def load() -> tuple[Unanswerable, ...]:
    """The set that comes with this package."""
    content = (files("genai_app.evaluation") / "data" / "unanswerable.jsonl").read_text(encoding="utf-8")
    return tuple(Unanswerable(**json.loads(line)) for line in content.splitlines())


async def report(agents: Agents, step: Callable[[], None] = lambda: None) -> Report:
    """Ask them all; `step` is called after each. Raises DatabaseDown."""
    asked = load()
    answers = []
    for each in asked:
        answers.append(await agents.answer(Question(each.question)))
        step()
    return assess(asked, answers)


def assess(asked: Sequence[Unanswerable], answers: Sequence[Answer]) -> Report:
    """What was said, by language; an answer with a source, or that counts as one, is invented."""
    invented = [
        (each, answer)
        for each, answer in zip(asked, answers, strict=True)
        if answer.answered or answer.sources or answer.tools
    ]
    by_language, wrong = Counter(each.language for each in asked), Counter(each.language for each, _ in invented)
    rows = tuple((language, count, wrong[language]) for language, count in sorted(by_language.items()))
    tables = [Table("Questions that the manuals do not answer", ("language", "asked", "invented"), rows)]
    if invented:
        shown = tuple((each.question, answer.agent, answer.text[:LONGEST_SHOWN]) for each, answer in invented)
        tables.append(Table("Invented", ("question", "agent", "answer"), shown))
    return Report(
        "unanswerable",
        tuple(tables),
        (
            Goal("invented answers", float(len(invented)), MOST_INVENTED, "at most"),
            Goal("questions asked", float(len(asked)), LEAST_ASKED, "at least"),
        ),
    )
