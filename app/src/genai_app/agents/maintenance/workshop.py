"""What the tools work on: the calendar, the service records, and the workshop's clock."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import asyncpg
import httpx2

from genai_app.customers.service_history import ServiceHistory
from genai_app.metrics import Metrics
from genai_app.scheduling.builtin import BuiltinScheduler, utc_now
from genai_app.scheduling.calendar import Calendar
from genai_app.scheduling.protocol import Scheduler
from genai_app.scheduling.remote import RemoteScheduler
from genai_app.scheduling.scheduling_server import SchedulingServer
from genai_app.scheduling.values import Appointment
from genai_app.settings import Settings


@dataclass(frozen=True)
class Workshop:
    """One per process. `now` gives the present time, aware; the zone is that in which customers name times."""

    scheduler: Scheduler
    records: ServiceHistory
    zone: ZoneInfo
    now: Callable[[], datetime] = utc_now

    @property
    def today(self) -> date:
        """The day that it is at the workshop."""
        return self.now().astimezone(self.zone).date()

    def wall(self, day: date, clock: time) -> datetime:
        """The moment at which the workshop's clock shows this."""
        return datetime.combine(day, clock.replace(tzinfo=None), self.zone)

    def local(self, moment: datetime) -> datetime:
        """A moment as the workshop's clock shows it."""
        return moment.astimezone(self.zone)

    def shown(self, appointment: Appointment) -> Appointment:
        """An appointment in the workshop's time."""
        return replace(
            appointment, starts_at=self.local(appointment.starts_at), ends_at=self.local(appointment.ends_at)
        )


def workshop_calendar(settings: Settings) -> Calendar:
    """When cars are taken in. Raises ConfigurationError for a time zone, hours or days that make no sense."""
    return Calendar.parse(
        timezone=settings.service_timezone,
        opening_hours=settings.service_opening_hours,
        slot_minutes=settings.service_slot_minutes,
        closed_days=settings.service_closed_days,
    )


def build_workshop(*, settings: Settings, pool: asyncpg.Pool, metrics: Metrics, http: httpx2.AsyncClient) -> Workshop:
    """By the settings: SCHEDULER_API_URL, or the built-in scheduler. Raises ConfigurationError like the calendar."""
    calendar = workshop_calendar(settings)
    scheduler: Scheduler = (
        RemoteScheduler(SchedulingServer.from_settings(settings, http), metrics)
        if settings.scheduler_api_url
        else BuiltinScheduler(pool, calendar, bays=settings.service_bays)
    )
    return Workshop(scheduler, ServiceHistory(pool), calendar.zone)
