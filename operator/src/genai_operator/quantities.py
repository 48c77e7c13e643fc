"""Kubernetes quantities as numbers: cores for CPU, bytes for memory and storage."""

import re
from decimal import Decimal
from typing import Final

PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
"""The quantities that the custom resources accept: not negative, no exponents."""

_QUANTITY: Final = re.compile(r"^(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<unit>[a-zA-Z]*)$")
_UNITS: Final = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}

MEBIBYTE: Final = 1024**2


def parse(text: str) -> Decimal:
    """`512Mi` as bytes, `250m` as cores. Raises ValueError for what is no quantity."""
    match = _QUANTITY.match(text)
    if match is None or match["unit"] not in _UNITS:
        raise ValueError(f"{text!r} is no quantity: write a number and a unit such as 500m, 512Mi or 10Gi")
    return Decimal(match["number"]) * _UNITS[match["unit"]]


def mebibytes(text: str) -> int:
    """Whole mebibytes in a quantity, rounded down."""
    return int(parse(text)) // MEBIBYTE


def same(left: object, right: object) -> bool:
    """Whether two values are the same amount: `1` and `1000m`, 1 and "1"."""
    try:
        return parse(str(left)) == parse(str(right))
    except ValueError:
        return False
