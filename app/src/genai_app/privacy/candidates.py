"""What a detector looks at and what it answers: a place in the plain text, the words around it, and how sure we are."""

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from genai_app.privacy.context import Passage
from genai_app.privacy.entities import Entity

GAP: Final = r"[ .\-/_]{0,3}+"
"""What people put between the digits of one number. Possessive, so that a failed match costs no more than reading."""
NOT_BEFORE: Final = r"(?<![^\W_])"
NOT_AFTER: Final = r"(?![^\W_])"
STARTS: Final = rf"{NOT_BEFORE}(?:(?<!\d[ .\-/_])|(?=\w\w))"
"""Not in the middle of `1 2 3 4`: a digit between others starts nothing."""
_BETWEEN = re.compile(r"[\W_]+")
_DIGIT_BEFORE = re.compile(r"\d[ .\-/_]{0,3}$")
_DIGIT_BEHIND = re.compile(r"[ .\-/_]{0,3}\d")


class Sureness(IntEnum):
    """How sure a detector is. Where findings overlap, the only announced give way; then length, then this, decides."""

    NO = 0
    ANNOUNCED = 1
    """The words say so; form and check digits do not confirm it."""
    CHECKED = 2
    """Check digits or a numbering plan confirm it."""
    WRITTEN_SO = 3
    """Nothing else is written like this: `123.456.789-09`."""
    CERTAIN = 4
    """The words say so, and the number confirms it."""


class Candidate:
    """`passage.text[start:end]` may be a value of `entity`."""

    def __init__(self, passage: Passage, start: int, end: int, entity: Entity) -> None:
        self.passage, self.start, self.end, self.entity = passage, start, end, entity
        self.text = passage.text
        self.written = self.text[start:end]

    @property
    def value(self) -> str:
        """Letters and digits only, in capitals."""
        return _BETWEEN.sub("", self.written).upper()

    @property
    def bare(self) -> bool:
        """Written without any separator."""
        return _BETWEEN.search(self.written) is None

    @property
    def whole(self) -> bool:
        """In one piece, or with no other digit beside it, as in a longer number in groups or a list of readings."""
        if self.bare:
            return True
        before = _DIGIT_BEFORE.search(self.text, max(0, self.start - 4), self.start)
        return before is None and _DIGIT_BEHIND.match(self.text, self.end) is None

    @property
    def kind(self) -> str | None:
        """What the words around it announce: an Entity, OTHER or None."""
        return self.passage.announced(self.start, self.end)

    @property
    def announced(self) -> bool:
        return self.kind == self.entity

    def sure_when(self, confirmed: bool) -> Sureness:
        """From whether the number confirms what it is, and the words around it."""
        if self.announced:
            return Sureness.CERTAIN if confirmed else Sureness.ANNOUNCED
        return Sureness.CHECKED if confirmed else Sureness.NO


class Hit(NamedTuple):
    """A finding in the plain text, before overlaps are settled."""

    start: int
    end: int
    entity: Entity
    sureness: Sureness


Find = Callable[[Passage], Iterator[Hit]]
Judge = Callable[[Candidate], Sureness]


def spaced(count: int, most: int | None = None) -> str:
    """A pattern for `count` (to `most`) digits with any usual separators between them, and no neighbours.

    It only looks ahead, so that the next match may begin inside: in "20 869700848-41" 11 digits begin at two places.
    """
    repeats = str(count - 1) if most is None else f"{count - 1},{most - 1}"
    return rf"{STARTS}(?=(?P<value>\d(?:{GAP}\d){{{repeats}}}){NOT_AFTER})"


def after(words: str, link_words: str) -> str:
    """A pattern for one of the words that announce a value, and for what may stand between it and the value."""
    punctuation = r"[ :#=,;\-–\"'(]"
    return rf"{NOT_BEFORE}(?i:{words})(?:{punctuation}|(?i:\b(?:{link_words})\b)\.?){{1,16}}+"


def matches(
    entity: Entity, pattern: str, judge: Judge, flags: int = 0, *, digits: int = 3, only_when_mentioned: bool = False
) -> Find:
    """A detector: every match of the pattern (its group `value`, if it has one) that the judge accepts.

    A text with fewer `digits`, or without a word for the entity where only its word can confirm it, is passed over.
    """
    compiled = re.compile(pattern, flags)
    group: str | int = "value" if "value" in compiled.groupindex else 0

    def find(passage: Passage) -> Iterator[Hit]:
        if passage.digits < digits or (only_when_mentioned and entity not in passage.mentioned):
            return
        for match in compiled.finditer(passage.text):
            start, end = match.span(group)
            sureness = judge(Candidate(passage, start, end, entity))
            if sureness:
                yield Hit(start, end, entity, sureness)

    return find
