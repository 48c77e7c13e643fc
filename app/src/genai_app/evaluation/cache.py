"""How often the semantic cache knows a paraphrase, and how often it takes another question for one.

`data/paraphrases.jsonl` holds families of questions that resemble each other; within a family every meaning has its own
answer, and each of its three wordings may be answered with another's answer, never with that of another meaning.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from typing import Final, Literal

import numpy as np

from genai_app.evaluation.report import Goal, Report, Table
from genai_app.rag.embedding import Embedder
from genai_app.rag.precomputed import Vector
from genai_app.same_question import subject

Relation = Literal["paraphrase", "near miss", "other question"]

GOALS: Final[tuple[tuple[Relation, float, Literal["at least", "at most"]], ...]] = (
    ("paraphrase", 0.45, "at least"),
    ("near miss", 0.001, "at most"),
    ("other question", 0.001, "at most"),
)
"""Of all pairs of a kind, the share that hits. False hits come first: a miss costs money, a wrong answer trust."""
RELATIONS: Final[tuple[Relation, ...]] = ("paraphrase", "near miss", "other question")
COLUMNS: Final = ("split", "in", "hit rate", "same", "hit", "near", "hit", "other", "hit")
"""Pairs of the same meaning, of near misses, of other questions; and how many of each would share an answer."""


@dataclass(frozen=True)
class Wording:
    """One question of the set; `meaning` is unique together with `family`."""

    family: str
    meaning: str
    language: str
    split: str
    text: str

    def relation(self, other: "Wording") -> Relation:
        """What another wording is to this one."""
        if self.family != other.family:
            return "other question"
        return "paraphrase" if self.meaning == other.meaning else "near miss"


@dataclass(frozen=True)
class Pair:
    """Two wordings of one language: what they are to each other, their cosine, and whether their subjects are equal."""

    relation: Relation
    split: str
    language: str
    cosine: float
    same_subject: bool


def load() -> tuple[Wording, ...]:
    """The set. While tables and rules were made, only the totals of `held_out` were seen, and one of its errors."""
    content = (files("genai_app.evaluation") / "data" / "paraphrases.jsonl").read_text(encoding="utf-8")
    return tuple(
        Wording(row["family"], row["meaning"], row["language"], row["split"], text)
        for row in map(json.loads, content.splitlines())
        for text in row["questions"]
    )


def pairs(wordings: Sequence[Wording], vectors: Sequence[Vector]) -> tuple[Pair, ...]:
    """Every two wordings of one split and language."""
    cosines = np.array(vectors) @ np.array(vectors).T
    subjects = [subject(wording.text) for wording in wordings]
    found: list[Pair] = []
    for (i, one), (j, other) in combinations(enumerate(wordings), 2):
        if (one.split, one.language) == (other.split, other.language):
            same = subjects[i] is not None and subjects[i] == subjects[j]
            found.append(Pair(one.relation(other), one.split, one.language, float(cosines[i, j]), same))
    return tuple(found)


async def report(embedder: Embedder) -> Report:
    """All questions are embedded first: about 20 seconds with the packaged model. Raises ModelDown."""
    wordings = load()
    return assess(pairs(wordings, await embedder.embed_queries([wording.text for wording in wordings])), embedder)


def assess(found: Sequence[Pair], embedder: Embedder) -> Report:
    """What the cache does with these pairs, and what it would do with vectors alone."""
    least = embedder.scale.related
    hits = [pair for pair in found if pair.same_subject and pair.cosine >= least]
    groups = sorted({(pair.split, pair.language) for pair in found}, reverse=True)
    rows = tuple(_row(found, hits, split, language) for split, language in groups)
    goals = tuple(
        Goal(f"{relation} pairs that hit, {split}", _share(hits, found, relation, split), bound, kind)
        for split in sorted({pair.split for pair in found}, reverse=True)
        for relation, bound, kind in GOALS
    )
    return Report(
        "cache",
        (
            Table(f"Semantic cache: equal subjects, cosine ≥ {least:g} ({embedder.model})", COLUMNS, rows),
            Table("What a cosine alone would do", ("cosine ≥", "hit rate", "false of near misses"), _alone(found)),
        ),
        goals,
    )


def _row(found: Sequence[Pair], hits: Sequence[Pair], split: str, language: str) -> tuple[str | int | float, ...]:
    part, part_hits = (
        Counter(pair.relation for pair in chosen if (pair.split, pair.language) == (split, language))
        for chosen in (found, hits)
    )
    rate = part_hits["paraphrase"] / max(1, part["paraphrase"])
    counts = [number for relation in RELATIONS for number in (part[relation], part_hits[relation])]
    return (split, language, rate, *counts)


def _alone(found: Sequence[Pair]) -> tuple[tuple[float, float, float], ...]:
    rows = []
    for least in (0.88, 0.92, 0.95, 0.97, 0.98, 0.99):
        near = [pair for pair in found if pair.cosine >= least]
        rows.append((least, _share(near, found, "paraphrase"), _share(near, found, "near miss")))
    return tuple(rows)


def _share(hits: Sequence[Pair], found: Sequence[Pair], relation: Relation, split: str | None = None) -> float:
    """Hits among the pairs of a relation, of one split or of all."""
    counted = [sum(p.relation == relation and split in {None, p.split} for p in part) for part in (hits, found)]
    return counted[0] / counted[1] if counted[1] else 0.0
