"""Appointments in PostgreSQL. Each function is one statement; the exclusion constraint decides who gets a slot."""

from typing import Any, Final
from uuid import UUID

import asyncpg

from genai_app.scheduling.values import Appointment, Booking, Owner, Slot

MOST_UPCOMING: Final = 20
_COLUMNS: Final = "confirmation_number, service_type, scheduled_date, ends_at, status, vehicle_id"

_FREE_BAY: Final = """
    SELECT bays.number FROM generate_series(1, $1::integer) AS bays(number)
    WHERE NOT EXISTS (
        SELECT FROM appointments taken
        WHERE taken.bay = bays.number AND taken.status = 'scheduled' AND taken.confirmation_number IS DISTINCT FROM $2
            AND tstzrange(taken.scheduled_date, taken.ends_at) && tstzrange($3, $4)
    )
    ORDER BY bays.number LIMIT 1
"""
"""$1 bays, $2 the appointment that does not count, $3 and $4 begin and end."""

INSERT: Final = f"""
    INSERT INTO appointments (
        bay, confirmation_number, scheduled_date, ends_at, customer_id, vehicle_id, service_type, idempotency_key
    )
    SELECT free.number, $2::varchar, $3::timestamptz, $4::timestamptz, $5::uuid,
        (SELECT id FROM vehicles WHERE id = $6::uuid AND customer_id = $5), $7, $8
    FROM ({_FREE_BAY}) AS free
    ON CONFLICT DO NOTHING
    RETURNING {_COLUMNS}
"""  # noqa: S608 - both parts are constants of this module

MOVE: Final = f"""
    UPDATE appointments SET bay = free.number, scheduled_date = $3::timestamptz, ends_at = $4::timestamptz,
        updated_at = now()
    FROM ({_FREE_BAY}) AS free
    WHERE confirmation_number = $2::varchar AND customer_id = $5::uuid AND status = 'scheduled'
        AND scheduled_date > now()
    RETURNING {_COLUMNS}
"""  # noqa: S608 - both parts are constants of this module


async def insert(
    connection: asyncpg.Connection, owner: Owner, booking: Booking, slot: Slot, *, bays: int, confirmation: str
) -> Appointment | None:
    """Book a bay that is free now; None when none is, somebody was quicker, or the owner has used the key.

    Raises asyncpg.ForeignKeyViolationError when there is no such customer.
    """
    row = await connection.fetchrow(
        INSERT, bays, confirmation, slot.starts_at, slot.ends_at, owner.customer_id, owner.vehicle_id,
        booking.service, booking.key,
    )  # fmt: skip
    return _appointment(row) if row else None


async def move(
    connection: asyncpg.Connection, owner: Owner, confirmation: str, slot: Slot, *, bays: int
) -> Appointment | None:
    """Move an upcoming appointment; None when there is none, or no bay is free or it was just lost to somebody."""
    try:
        row = await connection.fetchrow(MOVE, bays, confirmation, slot.starts_at, slot.ends_at, owner.customer_id)
    except (asyncpg.ExclusionViolationError, asyncpg.DeadlockDetectedError):
        return None  # two that move to one slot at the same instant wait for each other: the server lets one through
    return _appointment(row) if row else None


async def cancel(connection: asyncpg.Connection, owner: Owner, confirmation: str) -> Appointment | None:
    """Cancel an upcoming appointment, or find it cancelled; None when there is none."""
    row = await connection.fetchrow(
        f"""
        UPDATE appointments SET status = 'cancelled', updated_at = now()
        WHERE confirmation_number = $1 AND customer_id = $2
            AND (status = 'cancelled' OR (status = 'scheduled' AND scheduled_date > now()))
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - a constant of this module
        confirmation, owner.customer_id,
    )  # fmt: skip
    return _appointment(row) if row else None


async def by_key(connection: asyncpg.Connection, customer_id: UUID, key: str) -> Appointment | None:
    """What this customer booked with this key."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM appointments WHERE customer_id = $1 AND idempotency_key = $2",  # noqa: S608 - a constant of this module
        customer_id, key,
    )  # fmt: skip
    return _appointment(row) if row else None


async def by_confirmation(connection: asyncpg.Connection, owner: Owner, confirmation: str) -> Appointment | None:
    """The owner's appointment of this name, if it is still to come."""
    row = await connection.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM appointments
        WHERE confirmation_number = $1 AND customer_id = $2 AND status = 'scheduled' AND scheduled_date > now()
        """,  # noqa: S608 - a constant of this module
        confirmation, owner.customer_id,
    )  # fmt: skip
    return _appointment(row) if row else None


async def upcoming(connection: asyncpg.Connection, owner: Owner) -> tuple[Appointment, ...]:
    """The owner's next appointments, in order."""
    rows = await connection.fetch(
        f"""
        SELECT {_COLUMNS} FROM appointments
        WHERE customer_id = $1 AND status = 'scheduled' AND scheduled_date > now()
        ORDER BY scheduled_date, id LIMIT {MOST_UPCOMING}
        """,  # noqa: S608 - constants of this module
        owner.customer_id,
    )
    return tuple(_appointment(row) for row in rows)


async def busy(connection: asyncpg.Connection, within: Slot) -> tuple[tuple[Slot, int], ...]:
    """What is booked in any part of a stretch of time, with its bay."""
    rows = await connection.fetch(
        """
        SELECT scheduled_date, ends_at, bay FROM appointments
        WHERE status = 'scheduled' AND tstzrange(scheduled_date, ends_at) && tstzrange($1, $2)
        """,
        within.starts_at, within.ends_at,
    )  # fmt: skip
    return tuple((Slot(row["scheduled_date"], row["ends_at"]), row["bay"]) for row in rows)


def _appointment(row: Any) -> Appointment:
    return Appointment(
        confirmation=row["confirmation_number"],
        service=row["service_type"],
        starts_at=row["scheduled_date"],
        ends_at=row["ends_at"],
        status=row["status"],
        vehicle_id=row["vehicle_id"],
    )
