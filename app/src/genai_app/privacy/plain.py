"""A text as a plain typist would have written it: ASCII digits, spaces and hyphens, nothing invisible.

People, keyboards and word processors write `５２９`, no-break spaces, en dashes and zero-width joiners. The detectors
see none of that: they work on the plain text, and `Plain.span` leads back to the original.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_UNUSUAL = re.compile("[\xa0\xad\xb7\u0250-\U0010ffff]")

_MINUS, _MIDDLE_DOTS = "\u2212", frozenset("\xb7\u2022\u2219\u22c5\u30fb")


class Plain(NamedTuple):
    """`offsets[i]` is the place of `text[i]` in the original; None when nothing was left out."""

    text: str
    offsets: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the original has what is `text[start:end]` here; start < end."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def plain(text: str) -> Plain:
    """Never longer than `text`; letters keep their case and their accents."""
    if text.isascii() or not _UNUSUAL.search(text):
        return Plain(text, None)
    characters = [_plain_character(character) for character in text]
    offsets = None if all(characters) else tuple(index for index, kept in enumerate(characters) if kept)
    return Plain("".join(characters), offsets)


@lru_cache(maxsize=1024)
def _plain_character(character: str) -> str:
    """One character, or none for what has no width."""
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    if category == "Zs":
        return " "
    if category == "Pd" or character == _MINUS:
        return "-"
    if character in _MIDDLE_DOTS:
        return "."
    if category == "Nd":
        return str(unicodedata.decimal(character))
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if len(compatible) == 1 and compatible.isascii() else character
