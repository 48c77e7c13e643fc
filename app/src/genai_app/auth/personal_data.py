"""What is stored of a person: the list that `GET /auth/me/export` gives out, and that goes with the account."""

from typing import Final
from uuid import UUID

import asyncpg

SECTIONS: Final[tuple[tuple[str, str], ...]] = (
    ("account", "SELECT id, email, name, role, is_active, created_at, updated_at FROM users WHERE id = $1"),
    (
        "logins",
        "SELECT created_at, expires_at, revoked_at, ended_by FROM auth_sessions WHERE user_id = $1 ORDER BY created_at",
    ),
    ("customer", "SELECT id, name, email, phone, created_at, updated_at FROM customers WHERE id = $2"),
    (
        "vehicles",
        """
        SELECT id, brand, model, year, vin, license_plate, created_at, updated_at
        FROM vehicles WHERE customer_id = $2 ORDER BY created_at
        """,
    ),
    (
        "service_history",
        """
        SELECT s.id, s.vehicle_id, s.service_type, s.description, s.service_date, s.mileage, s.cost, s.status
        FROM service_history s JOIN vehicles v ON v.id = s.vehicle_id WHERE v.customer_id = $2 ORDER BY s.service_date
        """,
    ),
    (
        "appointments",
        """
        SELECT id, confirmation_number, vehicle_id, service_type, scheduled_date, ends_at, notes, status, created_at,
               updated_at
        FROM appointments WHERE customer_id = $2 ORDER BY scheduled_date
        """,
    ),
    (
        "conversations",
        """
        SELECT session_id, metadata, state, created_at, updated_at, (
            SELECT coalesce(json_agg(json_build_object(
                'id', id, 'role', role, 'content', content, 'agent', agent, 'confidence', confidence,
                'sources', sources, 'details', details, 'created_at', created_at
            ) ORDER BY position), '[]')
            FROM messages WHERE conversation_id = conversations.id
        ) AS messages
        FROM conversations WHERE user_id = $1 ORDER BY created_at
        """,
    ),
    (
        "feedback",
        """
        SELECT message_id, sentiment, comment, created_at, updated_at
        FROM feedback WHERE user_id = $1 ORDER BY created_at
        """,
    ),
    (
        "handoffs",
        """
        SELECT ticket, session_id, reason, status, payload, desk, desk_ticket, desk_agent, delivery, created_at
        FROM handoffs WHERE user_id = $1 ORDER BY created_at
        """,
    ),
)
"""Name and query, with the account's id as $1 and that of its customer record as $2. A test refuses a table that refers
to accounts or customers and is neither here nor among the exceptions that it names."""

_PARTS: Final = ", ".join(
    f"'{name}', (SELECT coalesce(json_agg(s), '[]') FROM ({query}) AS s)"  # noqa: S608 - of our own constants
    for name, query in SECTIONS
)
_EXPORT: Final = f"SELECT json_build_object({_PARTS})::text"


async def export(connection: asyncpg.Connection, user_id: UUID, customer_id: UUID | None) -> str:
    """Everything at one moment (one statement sees one state), written as JSON by the database."""
    exported: str = await connection.fetchval(_EXPORT, user_id, customer_id)
    return exported
