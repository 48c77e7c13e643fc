"""Log records and traces: nested values of any kind."""

from typing import Any

import pytest

from genai_app.privacy import mask_json


def test_texts_are_masked_at_every_level_and_keys_are_left_alone() -> None:
    record = {"a@b.com": [{"note": "write to ana@exemplo.com"}, ("52998224725", None, True, 1.5)]}
    assert mask_json(record) == {"a@b.com": [{"note": "write to [EMAIL]"}, ("[CPF]", None, True, 1.5)]}


@pytest.mark.parametrize(
    ("record", "masked"),
    [
        ({"cep": "01310100"}, {"cep": "[CEP]"}),
        ({"customer_phone": "3456-7890"}, {"customer_phone": "[PHONE]"}),
        ({"licensePlate": "7ABC123"}, {"licensePlate": "[LICENSE_PLATE]"}),
        ({"cpf": 52998224725}, {"cpf": "[CPF]"}),
        ({"order_id": "4155550199"}, {"order_id": "4155550199"}),
        ({"status": 200, "duration_ms": 12, "ts": 1700000000}, {"status": 200, "duration_ms": 12, "ts": 1700000000}),
    ],
)
def test_a_key_announces_its_value(record: dict[str, Any], masked: dict[str, Any]) -> None:
    assert mask_json(record) == masked
    assert mask_json(masked) == masked


def test_the_given_value_is_not_changed() -> None:
    record = {"user": {"email": "ana@exemplo.com"}}
    mask_json(record)
    assert record == {"user": {"email": "ana@exemplo.com"}}


def test_a_value_that_contains_itself_ends() -> None:
    record: dict[str, Any] = {}
    record["self"] = record
    assert "[TOO_DEEP]" in str(mask_json(record))
