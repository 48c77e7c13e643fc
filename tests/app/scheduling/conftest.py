"""A workshop on a database of its own, with customers, and times that are always in the future."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.app.conftest import TEMPLATE, Servers

from genai_app import db
from genai_app.scheduling.builtin import BuiltinScheduler
from genai_app.scheduling.calendar import Calendar
from genai_app.scheduling.values import Booking, Owner

WORKSHOP = Calendar.parse(
    timezone="UTC", opening_hours="Mon-Fri 08:00-18:00, Sat 08:00-12:00", slot_minutes=60, closed_days=""
)


def monday(hour: int, minute: int = 0, *, weeks: int = 2) -> datetime:
    """A Monday that is more than a week ahead."""
    today = datetime.now(UTC).date()
    day = today + timedelta(days=-today.weekday(), weeks=weeks)
    return datetime.combine(day, time(hour, minute), UTC)


def booking(starts_at: datetime, *, service: str = "oil_change", key: str = "") -> Booking:
    """A booking with a key of its own."""
    return Booking(service, starts_at, key or uuid4().hex)


@dataclass(frozen=True)
class Workshop:
    """A pool, and the scheduler on it."""

    pool: asyncpg.Pool

    def scheduler(self, *, bays: int = 1, closed: date | None = None) -> BuiltinScheduler:
        """The scheduler of a workshop with this many bays."""
        hours = Calendar(WORKSHOP.zone, WORKSHOP.opening, WORKSHOP.slot, frozenset([closed] if closed else []))
        return BuiltinScheduler(self.pool, hours, bays=bays)

    async def customer(self, *, vehicle: bool = False) -> Owner:
        """A new customer, maybe with a car."""
        customer_id: UUID = await self.pool.fetchval("INSERT INTO customers (name) VALUES ('Ana') RETURNING id")
        vehicle_id = (
            await self.pool.fetchval(
                "INSERT INTO vehicles (customer_id, brand, model) VALUES ($1, 'GenAuto', 'X1') RETURNING id",
                customer_id,
            )
            if vehicle
            else None
        )
        return Owner(customer_id, vehicle_id)


@pytest.fixture(scope="session")
async def shop_pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    """Connections to one database for all tests here; each test begins without appointments."""
    name = f"workshop_{uuid4().hex[:12]}"
    await servers.administer(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    async with db.open_pool(servers.settings(name)) as pool:
        yield pool
    await servers.administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def workshop(shop_pool: asyncpg.Pool) -> Workshop:
    """Nothing is booked yet."""
    await shop_pool.execute("DELETE FROM appointments")
    return Workshop(shop_pool)
