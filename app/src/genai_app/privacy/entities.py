"""The kinds of personal data that are looked for, and one place where one was found."""

from enum import StrEnum
from typing import NamedTuple


class Entity(StrEnum):
    """A kind of personal data; its text is what stands in the masked text: `[EMAIL]`."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CPF = "CPF"
    """Brazilian taxpayer number of a person."""
    CNPJ = "CNPJ"
    """Brazilian taxpayer number of a company; since 2026 it may hold letters."""
    SSN = "SSN"
    """Social Security number of the United States, and the ITIN, which is written alike."""
    CREDIT_CARD = "CREDIT_CARD"
    IBAN = "IBAN"
    VIN = "VIN"
    """Vehicle identification number, `chassi`."""
    LICENSE_PLATE = "LICENSE_PLATE"
    CEP = "CEP"
    """Brazilian postal code: in most cities it is one street."""
    CNH = "CNH"
    """Brazilian driver's licence number."""
    RENAVAM = "RENAVAM"
    """Number of a vehicle in the Brazilian register."""


class Finding(NamedTuple):
    """`text[start:end]` is a value of this kind."""

    start: int
    end: int
    entity: Entity
