"""The labelled texts are what the sentences beside this file and the generator say."""

import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest
from stdnum import iban, luhn
from stdnum.br import cnpj, cpf

from genai_app.privacy import Entity
from genai_app.privacy.evaluation import load

GENERATOR = Path(__file__).parent / "corpus" / "write_corpus.py"


def test_the_committed_texts_are_those_that_the_generator_writes() -> None:
    result = subprocess.run([sys.executable, GENERATOR, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def values(entity: Entity) -> list[str]:
    return [
        text.text[label.start : label.end]
        for text in load("labelled")
        for label in text.labels
        if label.entity == entity
    ]


@pytest.mark.parametrize(
    ("entity", "is_valid"),
    [
        (Entity.CPF, cpf.is_valid),
        (Entity.CNPJ, cnpj.is_valid),
        (Entity.CREDIT_CARD, lambda value: luhn.is_valid(value.replace(" ", "").replace("-", ""))),
        (Entity.IBAN, lambda value: iban.is_valid(value, check_country=False)),
        (
            Entity.PHONE,
            lambda value: not value.startswith("+") or phonenumbers.is_valid_number(phonenumbers.parse(value)),
        ),
    ],
)
def test_the_labels_are_real_numbers_for_an_independent_library(entity: Entity, is_valid: object) -> None:
    assert callable(is_valid)
    assert [value for value in values(entity) if not is_valid(value)] == []
