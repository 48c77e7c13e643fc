"""Licence plates: Brazilian ones by their form, those of the United States only where the text says so."""

import re
from typing import Final

from genai_app.privacy.candidates import GAP, NOT_AFTER, NOT_BEFORE, Candidate, Find, Sureness, after, matches
from genai_app.privacy.context import OTHER
from genai_app.privacy.entities import Entity

_CODES: Final = """
    ABR ACE ACP AGO ANO API APR ATE ATF AUG BRL CEP CNH CPU CRV CUK DEC DEZ DIN DOT EAN ECE EUR FAQ FEB FEV FIT FOX
    GDB GOL GPU GTX HRV IEC IPI ISO JAC JAN JIS JUL JUN KIA MAI MAR MAY MIL NBR NOV NXR OCT ODO OUT PSL RAM RAV REF
    RTX SAE SEP SET SKU SUV TSB TSI UNE UNO UPS USD VER VIN
"""
_STANDARDS_AND_MODELS: Final = frozenset(_CODES.split())
"""Three letters that often stand before four digits: standards, months, models, brands of parts."""
_YEAR = re.compile(r"(?:19[5-9]|20[0-4])\d")

_SMALL: Final = """
    com que dos das nos nas sem por ano era foi ele ela meu sua seu uma até not the and for has was are but you our
    ate
"""
_MEASURE = re.compile(r"\d+(?:mm|cm|km|kg|lbs?|psi|nm|rpm|miles|hp|cv|kw|h|k|w|v|a)")
_THREE_LETTER_WORDS: Final = frozenset(_SMALL.split())

_WORD: Final = "placas?|plates?|tag"
_SAYING: Final = r"is|was|are|number|no|num|n[úu]mero|n[ºo°]|é|era|dele|dela|dos|eua|us"
_OWNING: Final = r"e|do|da|de|meu|minha|carro|ve[ií]culo|of|my|the|car|truck|vehicle"


def _brazilian_plate(candidate: Candidate) -> Sureness:
    """Three letters and four digits; not an order code, a standard or a model with its year."""
    letters, figures, apart = candidate.value[:3], candidate.value[3:], " " in candidate.written
    code = letters in _STANDARDS_AND_MODELS or _YEAR.fullmatch(figures)
    if apart and (code or candidate.written[0].islower()):
        return Sureness.NO
    if candidate.announced:
        return Sureness.CERTAIN
    if apart or candidate.kind == OTHER:
        return Sureness.NO
    if candidate.value[4].isalpha():
        return Sureness.WRITTEN_SO
    return Sureness.NO if code or candidate.written[0].islower() else Sureness.CHECKED


def _spread_plate(candidate: Candidate) -> Sureness:
    letters, figures = candidate.value[:3], candidate.value[3:]
    words = letters.lower() in _THREE_LETTER_WORDS or (letters in _STANDARDS_AND_MODELS and _YEAR.fullmatch(figures))
    return Sureness.NO if words or candidate.kind == OTHER else Sureness.CERTAIN


def _american_plate(candidate: Candidate) -> Sureness:
    value = candidate.value
    if _MEASURE.fullmatch(candidate.written):
        return Sureness.NO
    mixed = any(c.isdecimal() for c in value) and any(c.isalpha() for c in value)
    return Sureness.CERTAIN if mixed and 5 <= len(value) <= 8 and candidate.kind != OTHER else Sureness.NO


_LETTER: Final = "[A-Za-z]"
_BRAZIL: Final = rf"{NOT_BEFORE}(?<!\w-)(?:[A-Z]{{3}}|[a-z]{{3}})[ -]?\d(?:[A-Z]|[a-z]|\d)\d\d{NOT_AFTER}(?!-\w)"
_BRAZIL_SPREAD: Final = GAP.join((_LETTER, _LETTER, _LETTER, r"\d", r"[A-Za-z\d]", r"\d", r"\d"))
_UNITED_STATES: Final = (
    r"(?:[A-Z\d]{5,8}|[a-z\d]{5,8}(?![^\W_])"
    r"|(?:[A-Z\d]{1,3}[ .\-/_]{1,3}){1,7}+[A-Z\d]{1,3}|[A-Z\d]{1,4}[ .\-/_]{1,3}[A-Z\d]{2,5})"
)

DETECTORS: Final[tuple[Find, ...]] = (
    matches(Entity.LICENSE_PLATE, _BRAZIL, _brazilian_plate),
    matches(
        Entity.LICENSE_PLATE,
        rf"{after(_WORD, f'{_SAYING}|{_OWNING}')}(?P<value>{_BRAZIL_SPREAD}){NOT_AFTER}",
        _spread_plate,
        only_when_mentioned=True,
    ),
    matches(
        Entity.LICENSE_PLATE,
        rf"{after(_WORD, _SAYING)}(?P<value>{_UNITED_STATES}){NOT_AFTER}",
        _american_plate,
        digits=1,
        only_when_mentioned=True,
    ),
)
