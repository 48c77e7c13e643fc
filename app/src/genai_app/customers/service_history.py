"""What was done to a customer's cars, read from `service_history`."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from genai_app import db

MOST_RECORDS: Final = 10


@dataclass(frozen=True)
class ServiceRecord:
    """One piece of work; `cost_usd` in US dollars, `mileage` in the unit of the car's display."""

    service: str
    description: str | None
    done_at: datetime | None
    mileage: int | None
    cost_usd: Decimal | None
    status: str
    vehicle: str


class ServiceHistory:
    """Reads service records; those of other customers do not exist."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def of(self, customer_id: UUID, vehicle_id: UUID | None = None) -> tuple[ServiceRecord, ...]:
        """The newest first, of one vehicle or (None) of all that the customer has. Raises DatabaseDown."""
        async with db.connection(self._pool) as connection:
            rows = await connection.fetch(
                f"""
                SELECT h.service_type, h.description, h.service_date, h.mileage, h.cost, h.status,
                    v.brand || ' ' || v.model AS vehicle
                FROM service_history h JOIN vehicles v ON v.id = h.vehicle_id
                WHERE v.customer_id = $1 AND ($2::uuid IS NULL OR v.id = $2)
                ORDER BY h.service_date DESC NULLS LAST, h.created_at DESC, h.id LIMIT {MOST_RECORDS}
                """,  # noqa: S608 - a constant of this module
                customer_id, vehicle_id,
            )  # fmt: skip
        return tuple(ServiceRecord(*row) for row in rows)
