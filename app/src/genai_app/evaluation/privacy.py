"""How much personal data is found in the labelled texts, and how much is found that is none."""

import time
from typing import Final

from genai_app.evaluation.report import Goal, Report, Table
from genai_app.privacy import evaluation, find
from genai_app.privacy.evaluation import TOTAL, LabelledText, Source, Split

COLUMNS: Final = ("entity", "right", "wrong", "missed", "leaked", "precision", "recall")
PARTS: Final[tuple[tuple[Source, Split, float], ...]] = (
    ("labelled", "tuning", 0.995),
    ("labelled", "held_out", 0.995),
    ("obfuscated", "tuning", 0.99),
    ("obfuscated", "held_out", 0.985),
)
"""Source, split and the recall that is wanted of it."""
LEAST_PRECISION: Final = 0.97
MOST_MILLISECONDS: Final = 1.0


def report() -> Report:
    """All texts; takes a few seconds."""
    tables: list[Table] = []
    goals: list[Goal] = []
    for source, split, least_recall in PARTS:
        scores = evaluation.evaluate(evaluation.load(source, split))
        tables.append(Table(f"Personal data: {source}, {split}", COLUMNS, evaluation.rows(scores)))
        goals += (
            Goal(f"recall, {source}, {split}", scores[TOTAL].recall, least_recall, "at least"),
            Goal(f"precision, {source}, {split}", scores[TOTAL].precision, LEAST_PRECISION, "at least"),
        )
    goals.append(
        Goal("milliseconds a text, mean", _milliseconds(evaluation.load("labelled")), MOST_MILLISECONDS, "at most")
    )
    return Report("privacy", tuple(tables), tuple(goals))


def _milliseconds(texts: tuple[LabelledText, ...]) -> float:
    started = time.process_time()
    for text in texts:
        find(text.text)
    return (time.process_time() - started) * 1000 / len(texts)
