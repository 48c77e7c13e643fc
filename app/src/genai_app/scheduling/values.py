"""What schedulers take and give: plain values, in UTC; and the one error that asks for another time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from genai_app.errors import Conflict, Unavailable

Status = Literal["scheduled", "cancelled", "completed"]
WhyNot = Literal["taken", "closed", "past", "too_far"]


@dataclass(frozen=True, order=True)
class Slot:
    """A stretch of time in which one car can be worked on; aware, in UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Owner:
    """Whose appointments: taken from a token, never from what somebody writes."""

    customer_id: UUID
    vehicle_id: UUID | None = None


@dataclass(frozen=True)
class Booking:
    """What is asked for. Two bookings of one owner with the same `key` (1..128 characters) are one booking."""

    service: str
    starts_at: datetime
    key: str


@dataclass(frozen=True)
class Appointment:
    """A stored appointment; `confirmation` is what the customer calls it by."""

    confirmation: str
    service: str
    starts_at: datetime
    ends_at: datetime
    status: Status
    vehicle_id: UUID | None = None


class SlotTaken(Conflict):
    """The time cannot be had, because of `why`; `alternatives` are free slots near it, in order, maybe none."""

    code = "slot-taken"
    title = "This time is not free"

    def __init__(self, why: WhyNot, alternatives: tuple[Slot, ...] = ()) -> None:
        near = ", ".join(slot.starts_at.isoformat() for slot in alternatives) or "none near it"
        super().__init__(f"{_SENTENCE[why]} Free: {near}.")
        self.why = why
        self.alternatives = alternatives


class SchedulerDown(Unavailable):
    """The scheduling system does not answer, or not sensibly. What was not confirmed may or may not be stored there:
    asking again with the same key is safe."""

    code = "scheduler-unreachable"

    def __init__(self, detail: str = "The scheduling system cannot be reached. Try again in a moment.") -> None:
        super().__init__(detail)


_SENTENCE: dict[WhyNot, str] = {
    "taken": "This time is taken.",
    "closed": "The workshop takes no car in at this time.",
    "past": "This time has passed.",
    "too_far": "This time is too far ahead.",
}


@dataclass(frozen=True)
class Window:
    """From (inclusive) to (exclusive): which slots are looked for, and at most how many are wanted."""

    begins: datetime
    ends: datetime
    limit: int = field(default=50)
