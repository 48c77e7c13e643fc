"""Accounts and logins in PostgreSQL."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from genai_app.auth.identity import Identity, Role
from genai_app.errors import Conflict


@dataclass(frozen=True)
class Account:
    """A row of `users`, with what logging in needs."""

    id: UUID
    email: str
    name: str
    role: Role
    is_active: bool
    password_hash: str


async def insert_account(
    connection: asyncpg.Connection, *, email: str, name: str, password_hash: str, role: Role
) -> Account:
    """Create an account with its own customer record, inside the caller's transaction. Raises Conflict.

    A customer record that the service team made earlier under this address is not taken over: the address is not
    proven to be the caller's. The new record then has no address, and the team may link the two.
    """
    customer_id = await connection.fetchval(
        "INSERT INTO customers (name, email) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING RETURNING id", name, email
    )
    if customer_id is None:
        customer_id = await connection.fetchval("INSERT INTO customers (name) VALUES ($1) RETURNING id", name)
    try:
        row = await connection.fetchrow(
            """
            INSERT INTO users (email, name, password_hash, role, customer_id) VALUES ($1, $2, $3, $4, $5)
            RETURNING id, email, name, role, is_active, password_hash
            """,
            email, name, password_hash, role.value, customer_id,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Conflict("An account with this e-mail address exists: log in, or use another address.") from None
    return _account(row)


async def find_account(connection: asyncpg.Connection, email: str) -> Account | None:
    """The account of this (lower-case) address."""
    row = await connection.fetchrow(
        "SELECT id, email, name, role, is_active, password_hash FROM users WHERE email = $1", email
    )
    return _account(row) if row else None


async def open_session(
    connection: asyncpg.Connection, *, session_id: UUID, user_id: UUID, refresh_id: UUID, seconds: int
) -> None:
    """Start a token family of this life; the user's expired ones go."""
    await connection.execute(
        """
        WITH expired AS (DELETE FROM auth_sessions WHERE user_id = $2 AND expires_at < now())
        INSERT INTO auth_sessions (id, user_id, refresh_jti, expires_at)
        VALUES ($1, $2, $3, now() + make_interval(secs => $4))
        """,
        session_id, user_id, refresh_id, float(seconds),
    )  # fmt: skip


async def rotate_session(
    connection: asyncpg.Connection, *, session_id: UUID, spent: UUID, fresh: UUID, seconds: int
) -> bool:
    """Exchange the family's unspent refresh token. False, and the family revoked, when `spent` was spent before."""
    rotated = await connection.fetchval(
        """
        UPDATE auth_sessions SET refresh_jti = $3, expires_at = now() + make_interval(secs => $4)
        WHERE id = $1 AND refresh_jti = $2 AND revoked_at IS NULL AND expires_at > now()
        RETURNING id
        """,
        session_id, spent, fresh, float(seconds),
    )  # fmt: skip
    if rotated is None:
        await revoke_session(connection, session_id)
    return rotated is not None


async def revoke_session(connection: asyncpg.Connection, session_id: UUID) -> None:
    """End a token family at once: its access tokens too."""
    await connection.execute(
        "UPDATE auth_sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", session_id
    )


async def find_identity(connection: asyncpg.Connection, user_id: UUID, session_id: UUID) -> Identity | None:
    """Who this login belongs to; None when it was ended, or the account is gone or inactive. One statement."""
    row = await connection.fetchrow(
        """
        SELECT u.id, u.email, u.name, u.role, u.customer_id
        FROM auth_sessions s JOIN users u ON u.id = s.user_id
        WHERE s.id = $1 AND u.id = $2 AND s.revoked_at IS NULL AND u.is_active
        """,
        session_id, user_id,
    )  # fmt: skip
    if row is None:
        return None
    return Identity(row["id"], row["email"], row["name"], Role(row["role"]), row["customer_id"], session_id)


def _account(row: Any) -> Account:
    return Account(row["id"], row["email"], row["name"], Role(row["role"]), row["is_active"], row["password_hash"])
