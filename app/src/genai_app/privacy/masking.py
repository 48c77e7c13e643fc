"""Finding and masking: the detectors' hits, overlaps settled, put back into the text that was given."""

import re
from collections.abc import Mapping
from typing import Any, Final

from genai_app.privacy.candidates import Hit, Sureness
from genai_app.privacy.context import Passage
from genai_app.privacy.detectors import DETECTORS
from genai_app.privacy.entities import Finding
from genai_app.privacy.plain import plain

_DEEPEST: Final = 64
"""Levels of a nested value; what lies deeper is left out, so that no log record can exhaust the stack."""
TOO_DEEP: Final = "[TOO_DEEP]"

_MAY_HOLD_SOMETHING = re.compile(r"\d|@|\b(?:at|arroba)\b", re.IGNORECASE)


def find(text: str) -> tuple[Finding, ...]:
    """What is personal in the text, in its order, without overlaps; works in time linear in the text."""
    seen = plain(text)
    if not _MAY_HOLD_SOMETHING.search(seen.text):
        return ()
    passage = Passage(seen.text)
    hits = [hit for detector in DETECTORS for hit in detector(passage)]
    return tuple(Finding(*seen.span(hit.start, hit.end), hit.entity) for hit in _settled(hits))


def mask(text: str) -> str:
    """The text with `[EMAIL]`, `[CPF]`, … for what is personal; `mask(mask(text)) == mask(text)`."""
    while findings := find(text):
        text = _replaced(text, findings)
    return text


def mask_json(value: Any) -> Any:
    """Nested dicts, lists and tuples of a log record or a trace with every text masked.

    Keys stay and announce what follows them, so `{"cep": "01310100"}` is masked. A number that would be masked as text
    becomes the text. Other objects stay as they are: render them before.
    """
    return _mask_nested(value, key="", depth=0)


def _mask_nested(value: Any, key: str, depth: int) -> Any:
    if isinstance(value, str):
        return _mask_after(key, value)
    if isinstance(value, int) and not isinstance(value, bool):
        masked = _mask_after(key, str(value))
        return value if masked == str(value) else masked
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth == _DEEPEST:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return {name: _mask_nested(item, str(name), depth + 1) for name, item in value.items()}
    items = [_mask_nested(item, key, depth + 1) for item in value]
    return items if isinstance(value, list) else tuple(items)


def _mask_after(key: str, text: str) -> str:
    """The text masked as if `key: ` stood before it."""
    if not _MAY_HOLD_SOMETHING.search(plain(text).text):
        return text
    announcement = re.sub(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])", " ", key).strip() + ": "
    while findings := [f for f in find(announcement + text) if f.start >= len(announcement)]:
        text = _replaced(announcement + text, findings)[len(announcement) :]
    return text


def _replaced(text: str, findings: tuple[Finding, ...] | list[Finding]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, entity in findings:
        pieces += text[done:start], f"[{entity}]"
        done = end
    return "".join((*pieces, text[done:]))


def _settled(hits: list[Hit]) -> list[Hit]:
    """No two overlap: what is confirmed goes before what is only announced, then the longer, then the surer."""

    def rank(hit: Hit) -> tuple[bool, int, Sureness]:
        return hit.sureness > Sureness.ANNOUNCED, hit.end - hit.start, hit.sureness

    kept: list[Hit] = []
    taken: set[int] = set()
    for hit in sorted(hits, key=rank, reverse=True):
        if taken.isdisjoint(range(hit.start, hit.end)):
            kept.append(hit)
            taken.update(range(hit.start, hit.end))
    return sorted(kept)
