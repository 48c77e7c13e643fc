"""No setting without a reader and a test: what each one changes is shown by the tests of the app."""

import re
from functools import cache
from pathlib import Path

import pytest

from genai_contract.config import AppConfig, AppSecrets

ROOT = Path(__file__).parents[2]
SETTINGS = (*AppConfig.model_fields, *AppSecrets.model_fields)


@cache
def words(folder: str) -> frozenset[str]:
    """Every word of every Python file in a folder."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py"))
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_app_reads_it(name: str) -> None:
    assert name in words("app/src/genai_app")


@pytest.mark.parametrize("name", SETTINGS)
def test_a_test_of_the_app_sets_it(name: str) -> None:
    assert {name, name.upper()} & words("tests/app")
