"""Check digits against published examples."""

import pytest
from stdnum import iban

from genai_app.privacy.check_digits import IBAN_LENGTHS, is_cnh, is_iban, is_renavam, is_vin


@pytest.mark.parametrize("value", ["1M8GDM9AXKP042788", "1HGCM82633A004352", "11111111111111111", "5GZCZ43D13S812715"])
def test_vins(value: str) -> None:
    assert is_vin(value)
    assert not is_vin(value[:-1] + str((int(value[-1]) + 1) % 10))
    assert not is_vin(value[:-1])


@pytest.mark.parametrize("value", ["1HGCM8263OA004352", "IHGCM82633A004352", "1HGCM82633A00435é", "1HGCM82633A00435-"])
def test_letters_that_no_vin_has(value: str) -> None:
    assert not is_vin(value)


@pytest.mark.parametrize("value", ["62472927637", "69044271146"])
def test_driver_licences(value: str) -> None:
    assert is_cnh(value)
    assert not is_cnh(value[:-1] + str((int(value[-1]) + 1) % 10))
    assert not is_cnh(value[:-1])


@pytest.mark.parametrize("value", ["00639884962", "639884962"])
def test_vehicle_registers(value: str) -> None:
    assert is_renavam(value)
    assert not is_renavam(value[:-1] + str((int(value[-1]) + 1) % 10))


def test_the_same_digit_all_over_is_nobodys_number() -> None:
    assert not any(check(digit * 11) for check in (is_cnh, is_renavam) for digit in "0123456789")


@pytest.mark.parametrize(
    "value",
    [
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
        "BR1800360305000010009795493C1",
    ],
)
def test_ibans(value: str) -> None:
    assert is_iban(value)
    assert iban.is_valid(value)
    assert not is_iban(value[:-1])
    assert not is_iban(value.replace("0", "1", 1))
    assert len(value) == IBAN_LENGTHS[value[:2]]
