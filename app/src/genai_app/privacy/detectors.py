"""The table of detectors: what is looked for, how it is written, and what has to confirm it.

Order decides between findings that are equally sure and equally long. Adding a kind of value is adding a row.
"""

import re
from collections.abc import Iterator
from typing import Final

from stdnum import luhn
from stdnum.br import cnpj, cpf

from genai_app.privacy import email, phones, plates
from genai_app.privacy.candidates import (
    GAP,
    NOT_AFTER,
    NOT_BEFORE,
    STARTS,
    Candidate,
    Find,
    Hit,
    Sureness,
    after,
    matches,
    spaced,
)
from genai_app.privacy.check_digits import IBAN_LENGTHS, is_cnh, is_iban, is_renavam, is_vin
from genai_app.privacy.context import OTHER, Passage
from genai_app.privacy.entities import Entity


def _form_suffices(candidate: Candidate) -> Sureness:
    return Sureness.CERTAIN if candidate.announced else Sureness.WRITTEN_SO


def _form_suffices_unless_impersonal(candidate: Candidate) -> Sureness:
    return Sureness.NO if candidate.kind == OTHER else _form_suffices(candidate)


def _only_announced(candidate: Candidate) -> Sureness:
    return Sureness.CERTAIN if candidate.announced else Sureness.NO


_CPF_GROUPS = re.compile(r"\d{3}\D+\d{3}\D+\d{3}\D+\d\d|\d{9}\D+\d\d")


def _cpf(candidate: Candidate) -> Sureness:
    """Eleven times the same digit passes the check and is nobody's."""
    separate = candidate.whole or candidate.announced or _CPF_GROUPS.fullmatch(candidate.written)
    valid = bool(separate) and cpf.is_valid(candidate.value) and len(set(candidate.value)) > 1
    return candidate.sure_when(valid)


def _cnpj(candidate: Candidate) -> Sureness:
    return candidate.sure_when((candidate.whole or candidate.announced) and cnpj.is_valid(candidate.value))


def _ssn(candidate: Candidate) -> Sureness:
    """Area, group and serial are never all zeros, and there is no area 666; 9xx is an ITIN."""
    area, group, serial = candidate.value[:3], candidate.value[3:5], candidate.value[5:]
    possible = area not in {"000", "666"} and group != "00" and serial != "0000"
    return _form_suffices_unless_impersonal(candidate) if possible else candidate.sure_when(False)


def _cnh(candidate: Candidate) -> Sureness:
    """Without its word only when it is written without separators: the form is that of many numbers."""
    if candidate.announced or (candidate.bare and candidate.kind is None):
        return candidate.sure_when(is_cnh(candidate.value))
    return Sureness.NO


def _renavam(candidate: Candidate) -> Sureness:
    return candidate.sure_when(is_renavam(candidate.value)) if candidate.announced else Sureness.NO


def _vin(candidate: Candidate) -> Sureness:
    """Elsewhere than in North America position 9 is free: there the word or a known maker has to confirm it."""
    value = candidate.value
    if candidate.announced:
        return Sureness.CERTAIN if sum(map(str.isdecimal, value)) >= _FEWEST_VIN_DIGITS else Sureness.NO
    if value.isdecimal() or not value[-4:].isdecimal():
        return Sureness.NO
    return Sureness.CHECKED if value[:3] in _MAKER_CODES or is_vin(value) else Sureness.NO


def _after_its_word(candidate: Candidate) -> Sureness:
    """Spread over several groups, of which none is a word."""
    enough = sum(map(str.isdecimal, candidate.value)) >= _FEWEST_VIN_DIGITS
    return Sureness.CERTAIN if enough and not re.search("[a-z]{4}", candidate.written) else Sureness.NO


_FEWEST_VIN_DIGITS: Final = 3
_MAKERS: Final = """
    9BW 9BD 9BG 9BF 9BR 9BM 9BH 93H 93Y 93X 93U 93K 93W 935 936 94D 95P 953 95V 97N 98M 988 98R 99A 99K 99J 8AP 8AF
    8AW 8AJ 8AG 8AD 8AC 8BC 3VW 3FA 3N1 3N6 3GN 3HG WVW WVG WV1 WV2 WAU WUA WBA WBS WBX WBY WDB WDD WDC WDF WMW WME
    WP0 WP1 W0L W1K W1N W1V VF1 VF3 VF6 VF7 VR1 VR3 VR7 VSS VSK VNK VWV ZFA ZFF ZAR ZHW ZAM SAL SAJ SCC SCF SBM SHH
    SJN SB1 TMB TMA TRU TSM YV1 YV4 YS3 YS2 UU1 XTA XW8 JHM JTD JTE JTH JTM JTN JT1 JT2 JN1 JN8 JM1 JM3 JMZ JF1 JF2
    JS2 JS3 JA3 JA4 JMB JYA KMH KM8 KMJ KNA KNE KND KNM KL1 KPT LSV LRW LVS LGX LFV LB3 MA1 MA3 MAL MAT MAJ MBJ MRH
    MMB NMT NM0 PL1 RFB
"""
_MAKER_CODES: Final = frozenset(_MAKERS.split())
"""World manufacturer identifiers (ISO 3780) of the makers that are sold in Brazil, Europe and North America."""


def _ibans(passage: Passage) -> Iterator[Hit]:
    """The country says how long it is, so that the words behind it stay out."""
    text = passage.text
    for start in _IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(f"{start['first']}{start['second']}".upper())
        rest = _IBAN_REST[length].match(text, start.end()) if length else None
        if rest:
            candidate = Candidate(passage, start.start(), rest.end(), Entity.IBAN)
            likely = sum(map(str.isdecimal, candidate.value)) > len(candidate.value) // 2 and not start["gap"]
            if is_iban(candidate.value) and (likely or candidate.announced):
                yield Hit(candidate.start, candidate.end, Entity.IBAN, Sureness.CERTAIN)


_IBAN_START = re.compile(rf"{NOT_BEFORE}(?P<first>[A-Za-z]){GAP}(?P<second>[A-Za-z])(?P<gap>{GAP})\d{GAP}\d")
_IBAN_REST: Final = {
    length: re.compile(rf"(?:{GAP}[A-Za-z\d]){{{length - 4}}}{NOT_AFTER}") for length in set(IBAN_LENGTHS.values())
}


def _cards(passage: Passage) -> Iterator[Hit]:
    """The first two digits say which network it is, and the network how long it is."""
    if passage.digits < min(_CARD_OF_LENGTH):
        return
    for start in _CARD_START.finditer(passage.text):
        for length in _CARD_LENGTHS.get(f"{start['first']}{start['second']}", ()):
            card = _CARD_OF_LENGTH[length].match(passage.text, start.start())
            if card and (sureness := _card(Candidate(passage, card.start(), card.end(), Entity.CREDIT_CARD))):
                yield Hit(card.start(), card.end(), Entity.CREDIT_CARD, sureness)


def _card(candidate: Candidate) -> Sureness:
    said = candidate.announced or bool(_IN_FOURS.fullmatch(candidate.written))
    likely = said or (candidate.whole and candidate.kind != OTHER)
    if not likely or not luhn.is_valid(candidate.value):
        return Sureness.NO
    return Sureness.CERTAIN if said else Sureness.CHECKED


_CARD_LENGTHS: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("34", "37"), (15,)),
    **dict.fromkeys(("30", "36", "38", "39"), (14,)),
    **dict.fromkeys(("35", "22", "23", "24", "25", "26", "27"), (16,)),
    **{f"4{digit}": (13, 16, 19) for digit in range(10)},
    **{f"5{digit}": (16,) for digit in range(10)},
    **{f"6{digit}": (16, 17, 18, 19) for digit in range(10)},
}
"""Lengths that the networks issue, by the first two digits."""
_CARD_START = re.compile(rf"{STARTS}(?=(?P<first>[2-6]){GAP}(?P<second>\d))")
_CARD_OF_LENGTH: Final = {
    length: re.compile(rf"\d(?:{GAP}\d){{{length - 1}}}{NOT_AFTER}") for length in (13, 14, 15, 16, 17, 18, 19)
}
_IN_FOURS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{5}")

_UNCONNECTED: Final = rf"{NOT_BEFORE}(?<![^\W_][.,/-])"
"""Not the later part of `91201-805-005`."""
_LINK: Final = (
    r"is|was|number|no|n[úu]mero|n[ºo°]|é|era|do|da|de|o|meu|carro|ve[ií]culo|of|my|the|car|novo|new"
    r"|alfanum[ée]rico|empresa"
)
_CNPJ_FORM: Final = rf"{NOT_BEFORE}[A-Z\d]{{2}}(?:\.[A-Z\d]{{3}}){{2}}/[A-Z\d]{{4}}-\d\d{NOT_AFTER}"
_SPREAD_CNPJ: Final = rf"(?P<value>[A-Z\d](?:{GAP}[A-Z\d]){{11}}{GAP}\d{GAP}\d){NOT_AFTER}"
_SPREAD_VIN: Final = rf"(?P<value>[A-Z\d](?:{GAP}[A-Z\d]){{16}}){NOT_AFTER}"
_VIN_WORDS: Final = "vin|chassis?|identification number"
_CEP_FORM: Final = rf"{_UNCONNECTED}(?!00)\d{{2}}\.?\d{{3}}-\d{{3}}{NOT_AFTER}(?![./-]\w)"

DETECTORS: Final[tuple[Find, ...]] = (
    email.find,
    matches(Entity.CPF, rf"{NOT_BEFORE}\d{{3}}\.\d{{3}}\.\d{{3}}-\d\d{NOT_AFTER}", _form_suffices, digits=11),
    matches(Entity.CPF, spaced(11), _cpf, digits=11),
    matches(Entity.CNPJ, _CNPJ_FORM, _form_suffices, re.IGNORECASE),
    matches(Entity.CNPJ, spaced(14), _cnpj, digits=14),
    matches(Entity.CNPJ, rf"{NOT_BEFORE}[A-Z\d]{{12}}\d\d{NOT_AFTER}", _cnpj, re.IGNORECASE),
    matches(Entity.CNPJ, after("cnpj", _LINK) + _SPREAD_CNPJ, _after_its_word, re.IGNORECASE, only_when_mentioned=True),
    _cards,
    _ibans,
    matches(Entity.VIN, rf"{NOT_BEFORE}[A-Z\d]{{17}}{NOT_AFTER}", _vin, re.IGNORECASE),
    matches(
        Entity.VIN, after(_VIN_WORDS, _LINK) + _SPREAD_VIN, _after_its_word, re.IGNORECASE, only_when_mentioned=True
    ),
    *plates.DETECTORS,
    matches(Entity.SSN, rf"{_UNCONNECTED}\d{{3}}-\d\d-\d{{4}}{NOT_AFTER}(?!-\w)", _ssn, digits=9),
    matches(Entity.SSN, spaced(9), _only_announced, digits=9, only_when_mentioned=True),
    matches(Entity.CEP, _CEP_FORM, _form_suffices_unless_impersonal, digits=8),
    matches(Entity.CEP, spaced(8), _only_announced, digits=8, only_when_mentioned=True),
    *phones.DETECTORS,
    matches(Entity.CNH, spaced(11), _cnh, digits=11),
    matches(Entity.RENAVAM, spaced(9, 11), _renavam, digits=9, only_when_mentioned=True),
)
