"""The scheduler on our own tables: opening hours from the settings, double bookings refused by the database."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import asyncpg

from genai_app import db
from genai_app.errors import Conflict, NotFound
from genai_app.scheduling import calendar, repository
from genai_app.scheduling.calendar import NEAR, Calendar
from genai_app.scheduling.values import Appointment, Booking, Owner, Slot, SlotTaken, WhyNot, Window

Clock = Callable[[], datetime]

NO_APPOINTMENT: Final = "There is no such upcoming appointment."
NO_CUSTOMER: Final = "There is no such customer."
KEY_USED: Final = "This idempotency key was used for another booking."
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; no digits, so nothing that looks like a plate or a telephone number."""


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


class BuiltinScheduler:
    """The Scheduler over `appointments`, for a workshop with `bays` places for cars."""

    def __init__(self, pool: asyncpg.Pool, workshop: Calendar, *, bays: int, now: Clock = utc_now) -> None:
        self._pool = pool
        self._calendar = workshop
        self._bays = bays
        self._now = now

    async def free_slots(self, window: Window) -> tuple[Slot, ...]:
        """See Scheduler. One statement; none for a window without opening hours."""
        begins, ends = max(window.begins, self._now()), min(window.ends, self._now() + calendar.FURTHEST)
        slots = self._calendar.slots_between(begins, ends) if begins < ends else ()
        if not slots:
            return ()
        async with db.connection(self._pool) as connection:
            busy = await repository.busy(connection, Slot(slots[0].starts_at, slots[-1].ends_at))
        return calendar.free(slots, busy, self._bays)[: window.limit]

    async def book(self, owner: Owner, booking: Booking) -> Appointment:
        """See Scheduler. One statement when the slot is free."""
        slot = self._calendar.slot_at(booking.starts_at)
        why = self._calendar.refusal(booking.starts_at, self._now())
        async with db.connection(self._pool) as connection:
            if slot is not None and why is None:
                try:
                    booked = await self._insert(connection, owner, booking, slot)
                except asyncpg.ForeignKeyViolationError:
                    raise NotFound(NO_CUSTOMER) from None
                if booked is not None:
                    return booked
            earlier = await repository.by_key(connection, owner.customer_id, booking.key)
        if earlier is None:
            raise await self._taken(why or "taken", booking.starts_at)
        if earlier.service != booking.service:
            raise Conflict(KEY_USED)
        return earlier

    async def reschedule(self, owner: Owner, confirmation: str, booking: Booking) -> Appointment:
        """See Scheduler. One statement when the slot is free."""
        slot = self._calendar.slot_at(booking.starts_at)
        why = self._calendar.refusal(booking.starts_at, self._now())
        async with db.connection(self._pool) as connection:
            if slot is not None and why is None:
                for _ in range(self._bays):
                    moved = await repository.move(connection, owner, confirmation, slot, bays=self._bays)
                    if moved is not None:
                        return moved
            if await repository.by_confirmation(connection, owner, confirmation) is None:
                raise NotFound(NO_APPOINTMENT)
        raise await self._taken(why or "taken", booking.starts_at)

    async def cancel(self, owner: Owner, confirmation: str) -> Appointment:
        """See Scheduler. One statement."""
        async with db.connection(self._pool) as connection:
            cancelled = await repository.cancel(connection, owner, confirmation)
        if cancelled is None:
            raise NotFound(NO_APPOINTMENT)
        return cancelled

    async def upcoming(self, owner: Owner) -> tuple[Appointment, ...]:
        """See Scheduler. One statement."""
        async with db.connection(self._pool) as connection:
            return await repository.upcoming(connection, owner)

    async def _insert(
        self, connection: asyncpg.Connection, owner: Owner, booking: Booking, slot: Slot
    ) -> Appointment | None:
        """As many tries as bays: each that fails saw one more of them go to somebody else."""
        for _ in range(self._bays):
            booked = await repository.insert(
                connection, owner, booking, slot, bays=self._bays, confirmation=new_confirmation()
            )
            if booked is not None:
                return booked
        return None

    async def _taken(self, why: WhyNot, wish: datetime) -> SlotTaken:
        around = Window(wish - NEAR, wish + NEAR, limit=10_000)
        near = self._now() if why == "past" else wish
        if why == "past":
            around = Window(near, near + NEAR, limit=10_000)
        return SlotTaken(why, calendar.nearest(await self.free_slots(around), near))


def new_confirmation() -> str:
    """A number for a new appointment, such as APT-KXWMRTBZ: one of 25 thousand million."""
    return "APT-" + "".join(secrets.choice(_LETTERS) for _ in range(8))
