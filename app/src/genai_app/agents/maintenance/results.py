"""What tools give, as plain values: models get them as JSON, customers as sentences (see `phrases`).

Times are aware and show the workshop's own clock.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from genai_app.customers.service_history import ServiceRecord
from genai_app.scheduling.services import ServiceName
from genai_app.scheduling.values import Appointment

Action = Literal["book", "reschedule", "cancel"]


@dataclass(frozen=True)
class Proposal:
    """What a "yes" will do; nothing has been done yet.

    `starts_at` is when the appointment will begin or, to cancel, begins. `confirmation` names the appointment that is
    moved or cancelled; `was` is when it begins now. `key` makes the action happen once.
    """

    action: Action
    service: str
    starts_at: datetime
    key: str
    confirmation: str = ""
    was: datetime | None = None


@dataclass(frozen=True)
class FreeSlots:
    """Free times of the `days` from `first` on, in order; when there are none, the first ones `later`."""

    first: date
    days: int
    times: tuple[datetime, ...]
    later: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class NotFree:
    """The wish cannot be had. `alternatives` are free times near it; `passed`: it is not in the future."""

    wish: datetime
    alternatives: tuple[datetime, ...]
    passed: bool = False


@dataclass(frozen=True)
class Done:
    """What was done, and how the appointment stands now."""

    action: Action
    appointment: Appointment


@dataclass(frozen=True)
class Own:
    """The customer's upcoming appointments."""

    appointments: tuple[Appointment, ...]


@dataclass(frozen=True)
class Unknown:
    """The customer has no upcoming appointment of this number."""

    confirmation: str


@dataclass(frozen=True)
class History:
    """What was done to the customer's cars, newest first."""

    records: tuple[ServiceRecord, ...]


@dataclass(frozen=True)
class Price:
    """A service and its price in US dollars; both equal when it has one price."""

    service: ServiceName
    from_usd: Decimal
    to_usd: Decimal


@dataclass(frozen=True)
class Prices:
    """Prices of services."""

    prices: tuple[Price, ...]


@dataclass(frozen=True)
class NoCustomer:
    """The account has no customer record: there is nothing to look up and nobody to book for."""


Result = Proposal | FreeSlots | NotFree | Done | Own | Unknown | History | Prices | NoCustomer
