"""Maintenance windows: which is open, and when the next begins."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from genai_operator.api.maintenance import MaintenanceWindow, Weekday
from genai_operator.observed import Maintenance

_DAYS = tuple(Weekday)


def look(windows: Sequence[MaintenanceWindow], now: datetime) -> Maintenance | None:
    """What the windows come to at a moment; None without any."""
    change, opening = next_change(windows, now), next_opening(windows, now)
    if change is None or opening is None:
        return None
    return Maintenance(is_open(windows, now), f"{opening:%Y-%m-%d %H:%M} UTC", (change - now).total_seconds())


def is_open(windows: Iterable[MaintenanceWindow], now: datetime) -> bool:
    """Whether `now` is in any window; the first minute belongs to it, the end does not."""
    return any(begin <= now < end for begin, end in _around(windows, now))


def next_change(windows: Iterable[MaintenanceWindow], now: datetime) -> datetime | None:
    """The next moment at which a window begins or ends, in UTC; None without windows."""
    return min((moment for span in _around(windows, now) for moment in span if moment > now), default=None)


def next_opening(windows: Iterable[MaintenanceWindow], now: datetime) -> datetime | None:
    """When the next window begins, in UTC; None without windows."""
    return min((begin for begin, _ in _around(windows, now) if begin > now), default=None)


def _around(windows: Iterable[MaintenanceWindow], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Beginning and end of every window from yesterday, which may still be open, to this day in a week.

    A wall clock that is set forward or back moves the beginning; the length is of true minutes.
    """
    for window in windows:
        zone = ZoneInfo(window.timezone)
        start = time.fromisoformat(window.start)
        today = now.astimezone(zone).date()
        for offset in range(-1, 9):
            day = today + timedelta(days=offset)
            if _DAYS[day.weekday()] in (window.days or _DAYS):
                begin = datetime.combine(day, start, zone).astimezone(UTC)
                yield begin, begin + timedelta(minutes=window.duration_minutes)
