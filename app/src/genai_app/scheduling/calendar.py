"""When the workshop takes cars in: opening hours in its own time zone, cut into slots; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from genai_app.errors import ConfigurationError
from genai_app.scheduling.values import Slot, WhyNot

FURTHEST: Final = timedelta(days=180)
"""How far ahead appointments are made."""
NEAR: Final = timedelta(days=14)
"""How far from a wish alternatives are looked for."""
ALTERNATIVES: Final = 3

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(
    r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)", re.IGNORECASE
)

Span = tuple[time, time]


@dataclass(frozen=True)
class Calendar:
    """Opening hours by weekday (Monday is 0), the slot's length, whole days that are closed."""

    zone: ZoneInfo
    opening: Mapping[int, tuple[Span, ...]]
    slot: timedelta
    closed: frozenset[date] = frozenset()

    @classmethod
    def parse(cls, *, timezone: str, opening_hours: str, slot_minutes: int, closed_days: str) -> Self:
        """From the texts of the settings. Raises ConfigurationError that names the variable."""
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError(
                f"SERVICE_TIMEZONE: there is no time zone {timezone!r}: use a name such as UTC or America/Sao_Paulo"
            ) from None
        return cls(zone, _opening(opening_hours), timedelta(minutes=slot_minutes), _days(closed_days))

    def slots_of(self, day: date) -> tuple[Slot, ...]:
        """Every slot of a local day, in order; a wall time that a clock change leaves out has none."""
        if day in self.closed:
            return ()
        found = []
        for opens, closes in self.opening.get(day.weekday(), ()):
            begins, last = datetime.combine(day, opens), datetime.combine(day, closes) - self.slot
            while begins <= last:
                starts_at = begins.replace(tzinfo=self.zone).astimezone(UTC)
                if starts_at.astimezone(self.zone).replace(tzinfo=None) == begins:
                    found.append(Slot(starts_at, starts_at + self.slot))
                begins += self.slot
        return tuple(found)

    def slots_between(self, begins: datetime, ends: datetime) -> tuple[Slot, ...]:
        """Every slot that begins in [begins, ends), in order."""
        day, last = begins.astimezone(self.zone).date(), ends.astimezone(self.zone).date()
        days = (day + timedelta(days=number) for number in range((last - day).days + 1))
        return tuple(slot for each in days for slot in self.slots_of(each) if begins <= slot.starts_at < ends)

    def slot_at(self, starts_at: datetime) -> Slot | None:
        """The slot that begins exactly then; None when there is none."""
        day = starts_at.astimezone(self.zone).date()
        return next((slot for slot in self.slots_of(day) if slot.starts_at == starts_at), None)

    def refusal(self, starts_at: datetime, now: datetime) -> WhyNot | None:
        """Why nothing can begin at this time, whoever else has booked; None when something can."""
        if starts_at <= now:
            return "past"
        if starts_at > now + FURTHEST:
            return "too_far"
        return None if self.slot_at(starts_at) else "closed"


def free(slots: Iterable[Slot], busy: Sequence[tuple[Slot, int]], bays: int) -> tuple[Slot, ...]:
    """Those of `slots` in which one of the bays 1..`bays` is not `busy` (pairs of slot and bay)."""
    return tuple(slot for slot in slots if len(_occupied(slot, busy, bays)) < bays)


def nearest(slots: Sequence[Slot], wish: datetime, most: int = ALTERNATIVES) -> tuple[Slot, ...]:
    """The `most` slots that begin nearest to `wish`, in the order of time."""
    return tuple(sorted(sorted(slots, key=lambda slot: abs(slot.starts_at - wish))[:most]))


def _occupied(slot: Slot, busy: Sequence[tuple[Slot, int]], bays: int) -> set[int]:
    return {
        bay for taken, bay in busy if bay <= bays and taken.starts_at < slot.ends_at and taken.ends_at > slot.starts_at
    }


def _opening(text: str) -> dict[int, tuple[Span, ...]]:
    """`Mon-Fri 08:00-18:00, Sat 08:00-12:00` as spans by weekday."""
    opening: dict[int, tuple[Span, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        weekdays, span = _hours(part)
        if not weekdays or span[0] >= span[1]:
            raise ConfigurationError(
                f"SERVICE_OPENING_HOURS: {part!r} is not like `Mon-Fri 08:00-18:00` or `Sat 08:00-12:00`"
            )
        for weekday in weekdays:
            opening[weekday] = (*opening.get(weekday, ()), span)
    if not opening:
        raise ConfigurationError("SERVICE_OPENING_HOURS is empty: write, for example, `Mon-Fri 08:00-18:00`")
    return {weekday: tuple(sorted(spans)) for weekday, spans in opening.items()}


def _hours(part: str) -> tuple[range, Span]:
    """The weekdays and the hours of one part; no weekdays when it cannot be read."""
    nothing = range(0), (time.min, time.max)
    match = _HOURS.fullmatch(part)
    if match is None:
        return nothing
    try:
        first, last = (WEEKDAYS.index(day.lower()) for day in (match["first"], match["last"] or match["first"]))
        return range(first, last + 1), (time.fromisoformat(match["opens"]), time.fromisoformat(match["closes"]))
    except ValueError:  # no such weekday, no such time
        return nothing


def _days(text: str) -> frozenset[date]:
    try:
        return frozenset(date.fromisoformat(day.strip()) for day in text.split(",") if day.strip())
    except ValueError:
        raise ConfigurationError("SERVICE_CLOSED_DAYS must be days such as 2026-12-25, separated by commas") from None
