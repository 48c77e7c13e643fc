"""How well the detectors do on the labelled texts that come with this package."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from genai_app.privacy.entities import Entity, Finding
from genai_app.privacy.masking import find

Source = Literal["labelled", "obfuscated"]
Split = Literal["tuning", "held_out"]

_MARK = re.compile(r"⟦(?P<entity>[A-Z_]+):(?P<value>[^⟧]*)⟧")
TOTAL: Final = "ALL"


class LabelledText(NamedTuple):
    """A text and what is personal in it; while the detectors were tuned, only the totals of `held_out` were seen."""

    text: str
    labels: tuple[Finding, ...]
    split: Split
    language: str


@dataclass
class Score:
    """Counts for one entity. A finding is right when its entity is, and its first and last letter or digit."""

    entity: str
    right: int = 0
    wrong: int = 0
    """Findings that are no label (false positives)."""
    missed: int = 0
    """Labels without a right finding (false negatives)."""
    leaked: int = 0
    """Labels of which a letter or digit stayed readable, whatever the finding was called."""

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def load(source: Source, split: Split | None = None) -> tuple[LabelledText, ...]:
    """The texts of one file, all or one split of them."""
    content = (files("genai_app.privacy") / "data" / f"{source}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in content.splitlines()]
    return tuple(parse(**row) for row in rows if split in {None, row["split"]})


def parse(marked: str, split: Split, language: str) -> LabelledText:
    """`CPF ⟦CPF:123.456.789-09⟧` as a text and its labels."""
    text, labels, done = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[done : mark.start()]
        labels.append(Finding(len(text), len(text) + len(mark["value"]), Entity(mark["entity"])))
        text += mark["value"]
        done = mark.end()
    return LabelledText(text + marked[done:], tuple(labels), split, language)


def evaluate(texts: Iterable[LabelledText], detect: Callable[[str], tuple[Finding, ...]] = find) -> dict[str, Score]:
    """A score by entity, and one for all of them under `ALL`."""
    scores = {name: Score(name) for name in (*Entity, TOTAL)}
    for text, labels, _, _ in texts:
        found = detect(text)
        wanted = {_core(text, label) for label in labels}
        got = {_core(text, finding) for finding in found}
        readable = set(range(len(text))).difference(*(range(f.start, f.end) for f in found))
        for name, outcome in (("right", wanted & got), ("wrong", got - wanted), ("missed", wanted - got)):
            for finding in outcome:
                _count(scores, finding.entity, name)
        for label in labels:
            if any(text[place].isalnum() for place in readable.intersection(range(label.start, label.end))):
                _count(scores, label.entity, "leaked")
    return scores


def rows(scores: dict[str, Score]) -> tuple[tuple[str, int, int, int, int, float, float], ...]:
    """For a table: entity, right, wrong, missed, leaked, precision, recall; without entities that do not occur."""
    return tuple(
        (str(s.entity), s.right, s.wrong, s.missed, s.leaked, s.precision, s.recall)
        for s in scores.values()
        if s.right or s.wrong or s.missed
    )


def _count(scores: dict[str, Score], entity: Entity, outcome: str) -> None:
    for score in (scores[entity], scores[TOTAL]):
        setattr(score, outcome, getattr(score, outcome) + 1)


def _core(text: str, finding: Finding) -> Finding:
    """Without the brackets and spaces at its ends."""
    written = text[finding.start : finding.end]
    inside = re.search(r"[^\W_](?:.*[^\W_])?", written, re.DOTALL)
    if inside is None:
        return finding
    return Finding(finding.start + inside.start(), finding.start + inside.end(), finding.entity)
