"""Check digits that python-stdnum does not know: VIN, CNH, RENAVAM, and the IBAN without its country tables.

Every function takes the bare value: digits and capital letters, no separators, of the right length or not.
"""

from typing import Final

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_RENAVAM_WEIGHTS: Final = (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)

_IBANS: Final = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18
    FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20
    LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19
    SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20
"""
IBAN_LENGTHS: Final = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
"""Characters of an IBAN by country, from the register of ISO 13616."""


def is_vin(value: str) -> bool:
    """ISO 3779 with the check digit that North America and China demand."""
    if len(value) != len(_VIN_WEIGHTS) or any(c not in _VIN_VALUES and not c.isdecimal() for c in value):
        return False
    total = sum((_VIN_VALUES.get(c) or int(c)) * weight for c, weight in zip(value, _VIN_WEIGHTS, strict=True))
    return value[8] == "0123456789X"[total % 11]


def is_cnh(value: str) -> bool:
    """11 digits. After a first remainder of 10 the second digit is lowered by two: both published readings count."""
    if len(value) != 11 or len(set(value)) == 1:
        return False
    body = [int(digit) for digit in value[:9]]
    first = sum(digit * weight for digit, weight in zip(body, range(9, 0, -1), strict=True)) % 11
    second = sum(digit * weight for digit, weight in zip(body, range(1, 10), strict=True)) % 11
    if first < 10:
        return value[9:] == f"{first}{second % 10}"
    return value[9] == "0" and int(value[10]) in {(second - 2) % 11 % 10, 0 if second == 10 else (second - 2) % 11 % 10}


def is_renavam(value: str) -> bool:
    """Up to 11 digits: old numbers were shorter and are filled with zeros."""
    padded = value.zfill(11)
    if len(padded) != 11 or len(set(padded)) == 1:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(padded, _RENAVAM_WEIGHTS, strict=False))
    return int(padded[10]) == total * 10 % 11 % 10


def is_iban(value: str) -> bool:
    """Right length for its country and remainder 1 (ISO 7064 mod 97-10)."""
    if IBAN_LENGTHS.get(value[:2]) != len(value):
        return False
    try:
        mod_97_10.validate(value[4:] + value[:4])
    except ValidationError:
        return False
    return True
