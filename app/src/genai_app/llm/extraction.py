"""Finding the lines of retrieved passages that answer a question; pure, no model involved.

A line is a list item or a sentence. It answers a part of the question as far as the part's concepts stand in it or in
its heading. What the passages do not cover is reported, never filled in.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from genai_app.llm.chat_model import Evidence
from genai_app.llm.vocabulary import ACTIONS, ANSWER_SHAPES, PROCEDURE, concepts, things

INHERITED: Final = 0.6
"""Weight of what a part takes over from the part, or the earlier question, that it refers to."""
NUMBER: Final = 0.4
"""Weight of a number: "at 100 km/h" is answered by "between 80 and 110 km/h"."""
SHAPE: Final = 0.8
"""What an interval, a number or a duration adds to a line when the question asks for one."""
IN_BOTH: Final = 0.2
"""Added when a concept of the heading is repeated in the line itself."""
LONGEST_LABEL: Final = 40
"""Characters."""
DEFINITION: Final = 0.6
"""Added to `Label: value` when the label is just what is asked."""
SECTION: Final = 0.3
"""Added to all lines of a section whose heading is just what is asked: questions of a FAQ are such headings."""
CLOSE: Final = 0.9
"""Lines of the best line's passage that score at least this share of it belong to the answer."""
CLOSE_IN_PROCEDURE: Final = 0.45
"""The same for "how do I" and "what should I do": instructions are more than their best line."""
LONGEST_ANSWER: Final = 5
"""Lines quoted for one part of a question."""
ENOUGH: Final = 0.6
"""Share of a part's weight that the best line and its heading must cover, or the answer is "I do not know"."""

_PART = re.compile(
    r"[?;.!]\s+|,?\s+(?:and|e)\s+(?=(?:how|what|which|when|where|is|are|can|does|do|qual|quais|quando|quanto|quantos|"
    r"quantas|como|onde|de quanto|a cada|com que|de que)\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"(?:if|when|to|as)\b", re.IGNORECASE)
_ITEM = re.compile(r"^(?:[-*•]|\d+[.)])\s+")
_STEP = re.compile(r"^\d+[.)]\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-Ý0-9])")


@dataclass(frozen=True)
class Part:
    """One thing asked: concept → weight before rarity (1 own, less inherited), and the shapes that it asks for."""

    weights: tuple[tuple[str, float], ...]
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A list item or sentence of `evidence[passage]`; `is_step` when it belongs to numbered instructions."""

    text: str
    passage: int
    is_step: bool
    concepts: frozenset[str]
    heading_concepts: frozenset[str]


@dataclass(frozen=True)
class Extract:
    """The lines that answer, in reading order, each part's coverage (0..1), and which passages were quoted."""

    lines: tuple[str, ...]
    coverage: tuple[float, ...]
    passages: tuple[int, ...]

    @property
    def missing_parts(self) -> int:
        """Parts of the question for which there is no line."""
        return sum(covered < ENOUGH for covered in self.coverage)


def extract(question: str, topic: Sequence[str], evidence: Sequence[Evidence]) -> Extract:
    """The lines of `evidence` (best passage first) that answer each part of `question`."""
    lines = [line for index, passage in enumerate(evidence) for line in _lines(index, passage)]
    rarity = _rarity(evidence)
    chosen: dict[Line, None] = {}
    coverage = []
    for part in parts(question, topic):
        found, covered = _answer(part, lines, rarity, len(evidence))
        coverage.append(covered)
        if covered >= ENOUGH:
            chosen.update(dict.fromkeys(found))
    return Extract(
        lines=tuple(dict.fromkeys(line.text for line in chosen)),
        coverage=tuple(coverage),
        passages=tuple(dict.fromkeys(line.passage for line in chosen)),
    )


def parts(question: str, topic: Sequence[str]) -> tuple[Part, ...]:
    """What is asked, one by one.

    A part that names no thing of its own ("how often is it changed?") inherits what came before it; one that names
    nothing but a thing ("and the brake fluid?") inherits what was asked about the thing before it. `topic` comes before
    the first part.
    """
    found: list[Part] = []
    before = tuple(topic)
    for text in _PART.split(question):
        asked = concepts(text)
        own = tuple(concept for concept in asked if not concept.startswith("?"))
        shapes = tuple(concept for concept in asked if concept.startswith("?"))
        if not asked:
            continue
        if not things(own):
            inherited = tuple(c for c in before if not c.startswith("?") and c not in own)
        elif own == things(own) and not shapes:
            inherited = tuple(c for c in before if c in ACTIONS)
            shapes = tuple(c for c in before if c.startswith("?"))
        else:
            inherited = ()
        if own or inherited:
            found.append(Part((*((c, 1.0) for c in own), *((c, INHERITED) for c in inherited)), shapes))
        before = (*own, *inherited, *shapes)
    return tuple(found)


def _answer(
    part: Part, lines: Sequence[Line], rarity: "dict[str, int]", passages: int
) -> tuple[tuple[Line, ...], float]:
    """The best lines for one part and how much of the part they cover."""
    weights = {
        concept: weight * _idf(rarity.get(concept, 0), passages) * (NUMBER if concept.isdecimal() else 1)
        for concept, weight in part.weights
    }
    total = sum(weights.values())
    if not lines or not total:
        return (), 0.0
    scores = {line: _score(line, part, weights) for line in lines}
    best = max(lines, key=lambda line: (scores[line], -line.passage))
    covered = sum(weights[c] for c in weights if c in best.concepts or c in best.heading_concepts) / total
    share = CLOSE_IN_PROCEDURE if PROCEDURE in part.shapes else CLOSE
    close = [line for line in lines if line.passage == best.passage and scores[line] >= share * scores[best]]
    if best.is_step:
        close = [line for line in lines if line.passage == best.passage and line.is_step]
    elif len(close) > LONGEST_ANSWER:
        close = sorted(close, key=lambda line: -scores[line])[:LONGEST_ANSWER]
        close = [line for line in lines if line in close]
    return tuple(close), covered


def _score(line: Line, part: Part, weights: dict[str, float]) -> float:
    score = 0.0
    for concept, weight in weights.items():
        in_line, in_heading = concept in line.concepts, concept in line.heading_concepts
        score += weight * ((in_line or in_heading) + IN_BOTH * (in_line and in_heading))
    if score == 0:
        return 0.0
    score += SHAPE * sum(
        ANSWER_SHAPES[shape].search(line.text) is not None for shape in part.shapes if shape in ANSWER_SHAPES
    )
    label = _label(line.text)
    if weights.keys() <= label | line.heading_concepts:
        score += DEFINITION * _share(label, weights)
    if weights.keys() <= line.heading_concepts:
        score += SECTION * _share(line.heading_concepts, weights)
    return score


def _share(named: frozenset[str], asked: Mapping[str, float]) -> float:
    """How much of what is named was asked: the label "Key battery" is half about keys."""
    named_things = things(tuple(named)) or tuple(named)
    return sum(concept in asked for concept in named_things) / len(named_things) if named_things else 0.0


def _label(text: str) -> frozenset[str]:
    """The concepts of `Label` in `Label: value`; none when there is no label but a condition or a whole clause."""
    label, colon, _ = text.partition(":")
    if not colon or len(label) > LONGEST_LABEL or _CONDITION.match(label):
        return frozenset()
    return _concepts_of(label)


def _idf(documents: int, passages: int) -> float:
    """Rare concepts tell more; one that no passage has tells most: it is what is missing."""
    return math.log((passages + 1) / (documents + 0.5)) + 0.2


def _rarity(evidence: Iterable[Evidence]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for passage in evidence:
        for concept in _concepts_of(passage.heading) | _concepts_of(passage.text):
            counts[concept] = counts.get(concept, 0) + 1
    return counts


def _lines(index: int, passage: Evidence) -> Iterable[Line]:
    section = passage.heading.partition(" > ")[2] or passage.heading
    for text, is_step in _items(passage.text):
        yield Line(text, index, is_step, _concepts_of(text), _concepts_of(section))


def _items(text: str) -> Iterable[tuple[str, bool]]:
    """List items and sentences; a wrapped line continues the item above it."""
    block: list[tuple[str, bool, bool]] = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line:
            block.append(("", False, False))
        elif _ITEM.match(line):
            block.append((_ITEM.sub("", line), True, _STEP.match(line) is not None))
        elif block and block[-1][0]:
            before, is_item, is_step = block[-1]
            block[-1] = (f"{before} {line}", is_item, is_step)
        else:
            block.append((line, False, False))
    for content, is_item, is_step in block:
        for piece in [content] if is_item else _SENTENCE_END.split(content):
            if piece:
                yield piece, is_step


@lru_cache(maxsize=8192)
def _concepts_of(text: str) -> frozenset[str]:
    return frozenset(concepts(text))
