"""The services of the workshop and their prices in US dollars: the table `services.json`, read once."""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

ServiceName = Literal[
    "oil_change",
    "tire_rotation",
    "inspection",
    "brake_service",
    "transmission_service",
    "air_filter",
    "battery_replacement",
]
"""The names of the table: part of the tools' schemas."""


@dataclass(frozen=True)
class Service:
    """One service: both prices are equal when it has one price. `label` and the texts are by language (`en`, `pt`).

    `phrases` are what customers call it: lower case, without accents, words separated by one space.
    """

    name: ServiceName
    from_usd: Decimal
    to_usd: Decimal
    label: dict[str, str]
    phrases: tuple[str, ...]


@cache
def services() -> tuple[Service, ...]:
    """Every service that can be booked."""
    text = resources.files("genai_app.scheduling").joinpath("services.json").read_text(encoding="utf-8")
    return tuple(_service(row) for row in json.loads(text))


def known(name: str) -> ServiceName | None:
    """`name` when it is in the table."""
    return next((each.name for each in services() if each.name == name), None)


def _service(row: dict[str, Any]) -> Service:
    return Service(
        name=row["name"],
        from_usd=Decimal(row["from_usd"]),
        to_usd=Decimal(row["to_usd"]),
        label=row["label"],
        phrases=tuple(row["phrases"]),
    )
