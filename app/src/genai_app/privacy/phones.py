"""Telephone numbers: Brazilian, North American, international; `phonenumbers` knows which numbers exist."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Final

import phonenumbers

from genai_app.privacy.candidates import (
    GAP,
    NOT_AFTER,
    NOT_BEFORE,
    STARTS,
    Candidate,
    Find,
    Hit,
    Sureness,
    matches,
    spaced,
)
from genai_app.privacy.context import OTHER, Passage
from genai_app.privacy.entities import Entity

_BRAZIL: Final = (
    rf"{NOT_BEFORE}(?:\+?55{GAP})?(?:\(0?[1-9]\d\)|0?[1-9]\d){GAP}(?:9[ .]?\d{{4}}|[2-5]\d{{3}}){GAP}\d{{4}}{NOT_AFTER}"
)
_EXTENSION: Final = rf"(?:,?{GAP}(?:ext|x|ramal){GAP}\d{{1,5}})?"
_NORTH_AMERICA: Final = (
    rf"{NOT_BEFORE}(?:1{GAP})?(?:\([2-9]\d\d\)|[2-9]\d\d){GAP}\d{{3}}{GAP}\d{{4}}{_EXTENSION}{NOT_AFTER}"
)
_WRITTEN_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?\d{3}[-. ]\d{4}|\d{3}([-.])\d{3}\1\d{4})(?!\d)")
_WITHOUT_AREA: Final = (
    rf"{NOT_BEFORE}(?:9[ .]?\d{{4}}[ .-]?\d{{4}}|[2-5]\d{{3}}[ .-]?\d{{4}}|\d{{3}}-\d{{4}}){NOT_AFTER}"
)
_DIGITS_APART: Final = rf"{STARTS}\d(?:[ .-]\d){{9,10}}{NOT_AFTER}"
_ANY_DIGITS: Final = rf"{STARTS}\(?\d(?:[ .\-/_()]{{0,3}}+\d){{7,14}}{NOT_AFTER}"
_BRAZILIAN_MOBILE = re.compile(r"0?[1-9][1-9]9\d{8}")
_TWO_YEARS = re.compile(r"\b(?:19|20)\d\d\D{1,3}(?:19|20)\d\d\b")
_DATE_OR_TIME = re.compile(r"\d{1,4}([/.-])\d{1,2}\1\d{1,4}(?!\d)|\d{4,8} \d{1,2}:")
_INTERNATIONAL = re.compile(rf"(?:\+{GAP}|{NOT_BEFORE}00 ?)(?:\(?\d\)?{GAP}){{7,16}}")
_EXTENSION_BEHIND = re.compile(_EXTENSION, re.IGNORECASE)
_POSSIBLE_LENGTHS: Final = range(8, 16)
_BRAZIL_CODE: Final = 55
_NORTH_AMERICAN_CODE: Final = 1
_MOST_REGIONS: Final = 6
"""Under +1 there are 25 regions: the first have nearly all numbers, the others are known by their plus sign."""
_KINDS: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
)  # fmt: skip
_SHORTER_READINGS: Final = 4
"""How many groups at the end may belong to something else."""


@cache
def _plan(country_code: int) -> re.Pattern[str]:
    """Every national number under a country code that `phonenumbers` calls valid, without its slow parsing."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(country_code, ())
    patterns = dict.fromkeys(
        description.national_number_pattern
        for metadata in map(phonenumbers.PhoneMetadata.metadata_for_region, regions[:_MOST_REGIONS])
        for kind in _KINDS
        if metadata and (description := getattr(metadata, kind)) and description.national_number_pattern
    )
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def _exists(country_code: int, national: str) -> bool:
    return _plan(country_code).fullmatch(national) is not None


def _exists_somewhere(digits: str) -> bool:
    """`digits` begin with the country code; a zero behind it, as in +49 (0)30, is tried without too."""
    for length in (1, 2, 3):
        code, national = int(digits[:length]), digits[length:]
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return _exists(code, national) or _exists(code, national.removeprefix("0"))
    return False


def _is_possible(digits: str) -> bool:
    return len(digits) == 11 if digits.startswith(str(_NORTH_AMERICAN_CODE)) else len(digits) in _POSSIBLE_LENGTHS


def _brazilian(candidate: Candidate) -> Sureness:
    if candidate.kind == OTHER and "(" not in candidate.written:
        return Sureness.NO
    if _TWO_YEARS.search(candidate.written) and not candidate.announced:
        return Sureness.NO
    national = candidate.value.removeprefix("55") if len(candidate.value) > 11 else candidate.value
    national = national.removeprefix("0")
    if candidate.bare and len(national) == 10 and not candidate.announced:
        return Sureness.NO
    exists = _exists(_BRAZIL_CODE, national)
    return Sureness.WRITTEN_SO if exists and not candidate.bare else candidate.sure_when(exists)


def _north_american(candidate: Candidate) -> Sureness:
    if candidate.kind == OTHER and "(" not in candidate.written:
        return Sureness.NO
    if _WRITTEN_NORTH_AMERICAN.match(candidate.written):
        return Sureness.WRITTEN_SO
    if candidate.bare and not candidate.announced:
        return Sureness.NO
    return candidate.sure_when(_exists(_NORTH_AMERICAN_CODE, _without_extension(candidate.written)[-10:]))


def _without_extension(written: str) -> str:
    return re.sub(r"\D", "", re.split("[a-z]", written, maxsplit=1, flags=re.IGNORECASE)[0])


def _only_announced(candidate: Candidate) -> Sureness:
    impersonal = not candidate.announced or _TWO_YEARS.fullmatch(candidate.written)
    impersonal = impersonal or _DATE_OR_TIME.match(candidate.text, candidate.start)
    return Sureness.NO if impersonal else Sureness.ANNOUNCED


def _spaced_mobile(candidate: Candidate) -> Sureness:
    plausible = candidate.whole and candidate.kind != OTHER and _BRAZILIAN_MOBILE.fullmatch(candidate.value)
    return candidate.sure_when(bool(plausible) and _exists(_BRAZIL_CODE, candidate.value.removeprefix("0")))


def _digit_by_digit(candidate: Candidate) -> Sureness:
    if not candidate.whole or candidate.kind == OTHER:
        return Sureness.NO
    readings = (
        (_BRAZIL_CODE, candidate.value.removeprefix("0")),
        (_NORTH_AMERICAN_CODE, candidate.value.removeprefix("1")),
    )
    return candidate.sure_when(any(_exists(code, national) for code, national in readings))


def _international(passage: Passage) -> Iterator[Hit]:
    """With + or 00 and a country code. The next number may follow without a sign between them: the longest that exists
    wins; with a plus sign, one of possible length will do."""
    text = passage.text
    for match in _INTERNATIONAL.finditer(text):
        signed = match.group().startswith("+")
        every = (end for end in range(match.end(), match.start() + 8, -1) if _ends_a_number(text, end))
        ends = tuple(islice(every, _SHORTER_READINGS))
        digits = {end: re.sub(r"\D", "", text[match.start() : end]).removeprefix("00") for end in ends}
        found = next((end for end in ends if _exists_somewhere(digits[end])), None)
        if found is None and signed:
            found = next((end for end in ends if _is_possible(digits[end])), None)
        if found is not None and (signed or passage.announced(match.start(), found) != OTHER):
            extension = _EXTENSION_BEHIND.match(text, found)
            yield Hit(match.start(), extension.end() if extension else found, Entity.PHONE, Sureness.WRITTEN_SO)


def _ends_a_number(text: str, end: int) -> bool:
    return text[end - 1].isdecimal() and not text[end : end + 1].isalnum()


DETECTORS: Final[tuple[Find, ...]] = (
    _international,
    matches(Entity.PHONE, _BRAZIL, _brazilian, digits=10),
    matches(Entity.PHONE, _NORTH_AMERICA, _north_american, re.IGNORECASE, digits=10),
    matches(Entity.PHONE, spaced(11), _spaced_mobile, digits=11),
    matches(Entity.PHONE, _DIGITS_APART, _digit_by_digit, digits=10),
    matches(Entity.PHONE, _WITHOUT_AREA, _only_announced, digits=7, only_when_mentioned=True),
    matches(Entity.PHONE, _ANY_DIGITS, _only_announced, digits=8, only_when_mentioned=True),
)
