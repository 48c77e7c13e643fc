"""Quantities."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_operator import quantities


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", "1"),
        ("250m", "0.25"),
        ("0.5", "0.5"),
        ("1Ki", "1024"),
        ("1k", "1000"),
        ("2Gi", str(2 * 1024**3)),
        ("1.5Gi", str(3 * 1024**3 // 2)),
    ],
)
def test_a_quantity_is_a_number(text: str, amount: str) -> None:
    assert quantities.parse(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "-1", "1GiB", "abc", "1e3"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit"):
        quantities.parse(text)


@given(st.integers(1, 10**6))
def test_the_same_amount_is_the_same_whatever_its_unit(number: int) -> None:
    assert quantities.same(f"{number}Gi", f"{number * 1024}Mi")
    assert quantities.same(str(number), f"{number * 1000}m")
    assert not quantities.same(f"{number}Gi", f"{number}G")
