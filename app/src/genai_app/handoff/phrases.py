"""The phrase tables of `phrases.toml`, compiled; pure. The notation is explained in the table itself."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

APART: Final = 6
"""Words that may stand between a safety word and its fault."""
BETWEEN: Final = 4
"""Words that `…` stands for at most."""
STRUCK_OUT: Final = "* "
"""What is left of a phrase that is not meant: no slot matches it."""

_WORD = re.compile(r"[a-z0-9]+")
_SENTENCE = re.compile(r"[.!?;:\n]+")
_IRREGULAR = (("won't", "will not"), ("can't", "can not"), ("cannot", "can not"))
_NOT = re.compile(r"n't\b")
_NOT_WITHOUT_APOSTROPHE = re.compile(r"\b(do|does|did|is|are|was|were|has|have|had|could|would|should)nt\b")
_CONTRACTED = re.compile(r"'(m|re|s)\b")
_FULL = {"m": " am", "re": " are", "s": " is"}
_REFERS_BACK = re.compile(r"(?:they|it|these|this|that|ele|ela|eles|elas|isso|nao) ")


@dataclass(frozen=True)
class Table:
    """What speaks for one reason. `english` does not count in Portuguese texts; the last two are for safety only."""

    never: re.Pattern[str]
    either: re.Pattern[str]
    english: re.Pattern[str]
    general: re.Pattern[str]
    present: re.Pattern[str]


@cache
def tables() -> dict[str, Table]:
    """Reason → its table, read once. Raises ValueError for a phrase that is not in the notation."""
    file = resources.files("genai_app.handoff").joinpath("phrases.toml")
    return {name: _table(rows) for name, rows in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def sentences(text: str) -> list[str]:
    """The sentences as plain words, each followed by a space; one that begins with "they" continues the one before."""
    found: list[str] = []
    for piece in _SENTENCE.split(_plain(text)):
        words = "".join(f"{word} " for word in _WORD.findall(piece))
        if found and _REFERS_BACK.match(words):
            found[-1] += words
        elif words:
            found.append(words)
    return found


def pattern(phrase: str) -> str:
    """The regular expression of a phrase, over words that are each followed by a space."""
    return "".join(_slot(slot) for slot in phrase.split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    for short, full in _IRREGULAR:
        plain = plain.replace(short, full)
    plain = _NOT_WITHOUT_APOSTROPHE.sub(r"\1 not", _NOT.sub(" not", plain))
    return _CONTRACTED.sub(lambda match: _FULL[match[1]], plain)


def _table(rows: dict[str, Any]) -> Table:
    pairs = [_pair(pair["parts"], pair["signs"]) for pair in rows.get("pairs", ())]
    return Table(
        never=_any(rows["never"]),
        either=_any(rows["either"], pairs),
        english=_any(rows.get("english", ())),
        general=_any(rows.get("general", ())),
        present=_any(rows.get("present", ())),
    )


def _any(phrases: list[str] | tuple[str, ...], patterns: list[str] | tuple[str, ...] = ()) -> re.Pattern[str]:
    """One pattern for all of them; no phrases match nothing."""
    choices = "|".join([*(pattern(phrase) for phrase in phrases), *patterns])
    return re.compile(rf"(?<![^ ])(?:{choices})" if choices else r"(?!)")


def _pair(parts: list[str], signs: list[str]) -> str:
    part, sign = ("|".join(map(pattern, phrases)) for phrases in (parts, signs))
    gap = rf"(?:[^ *]+ ){{0,{APART}}}?"
    return f"(?:{part}){gap}(?:{sign})|(?:{sign}){gap}(?:{part})"


def _slot(slot: str) -> str:
    if slot == "^":
        return r"\A"
    if slot == "$":
        return r"\Z"
    if slot == "…":
        return rf"(?:[^ *]+ ){{0,{BETWEEN}}}?"
    alternatives = slot.removesuffix("?").split("|")
    if not all(re.fullmatch(r"[a-z0-9]+(?:_[a-z0-9]+)*\*?", alternative) for alternative in alternatives):
        raise ValueError(f"phrases.toml: {slot!r} is no slot: words in lower case without accents, joined by | and _")
    words = "|".join(word.replace("_", " ").replace("*", "[a-z0-9]*") for word in alternatives)
    return f"(?:(?:{words}) )?" if slot.endswith("?") else f"(?:{words}) "
