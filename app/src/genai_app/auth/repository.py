"""Accounts and logins in PostgreSQL."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from genai_app.auth.identity import Identity, Role
from genai_app.errors import Conflict


class Ending(StrEnum):
    """Why a login ended before its time."""

    LOGOUT = "logout"
    REUSE = "reuse"
    PASSWORD = "password"  # noqa: S105 - the word, not one
    OPERATOR = "operator"


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
    """Exchange the family's unspent refresh token. False when `spent` was spent before: whoever has it is not alone."""
    rotated = await connection.fetchval(
        """
        UPDATE auth_sessions SET refresh_jti = $3, expires_at = now() + make_interval(secs => $4)
        WHERE id = $1 AND refresh_jti = $2 AND revoked_at IS NULL AND expires_at > now()
        RETURNING id
        """,
        session_id, spent, fresh, float(seconds),
    )  # fmt: skip
    return rotated is not None


async def end_session(connection: asyncpg.Connection, user_id: UUID, session_id: UUID, because: Ending) -> bool:
    """End a token family of this user at once, its access tokens too. False when there is none that stands."""
    ended = await connection.fetchval(
        """
        UPDATE auth_sessions SET revoked_at = now(), ended_by = $3
        WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL
        RETURNING id
        """,
        session_id, user_id, because.value,
    )  # fmt: skip
    return ended is not None


async def end_sessions_of(
    connection: asyncpg.Connection, user_id: UUID, because: Ending, *, but: UUID | None = None
) -> list[UUID]:
    """End every login of an account, `but` one; gives those that it ended."""
    rows = await connection.fetch(
        """
        UPDATE auth_sessions SET revoked_at = now(), ended_by = $2
        WHERE user_id = $1 AND id IS DISTINCT FROM $3 AND revoked_at IS NULL
        RETURNING id
        """,
        user_id, because.value, but,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def find_identity(connection: asyncpg.Connection, user_id: UUID, session_id: UUID) -> Identity | None:
    """Who this login belongs to; None when it was ended, or the account is gone or inactive. One statement."""
    row = await connection.fetchrow(
        "SELECT email, name, role, customer_id FROM active_logins WHERE session_id = $1 AND user_id = $2",
        session_id, user_id,
    )  # fmt: skip
    if row is None:
        return None
    return Identity(user_id, row["email"], row["name"], Role(row["role"]), row["customer_id"], session_id)


async def password_hash_of(connection: asyncpg.Connection, user_id: UUID) -> str | None:
    """The stored hash; None when the account is gone."""
    stored: str | None = await connection.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id)
    return stored


async def replace_password(connection: asyncpg.Connection, user_id: UUID, *, old: str, new: str) -> bool:
    """Store another hash in place of `old`. False when it is not the stored one any more."""
    replaced = await connection.fetchval(
        "UPDATE users SET password_hash = $3, updated_at = now() WHERE id = $1 AND password_hash = $2 RETURNING id",
        user_id, old, new,
    )  # fmt: skip
    return replaced is not None


async def change_account(
    connection: asyncpg.Connection, email: str, *, role: Role | None, is_active: bool | None
) -> Account | None:
    """Set what is not None; gives the account, or None when there is none of this address."""
    row = await connection.fetchrow(
        """
        UPDATE users SET role = COALESCE($2, role), is_active = COALESCE($3, is_active), updated_at = now()
        WHERE email = $1 RETURNING id, email, name, role, is_active, password_hash
        """,
        email, role.value if role else None, is_active,
    )  # fmt: skip
    return _account(row) if row else None


async def delete_account(connection: asyncpg.Connection, user_id: UUID, customer_id: UUID | None) -> list[UUID]:
    """Delete an account, its customer record and all that hangs on either; gives the logins that this ended."""
    rows = await connection.fetch("DELETE FROM auth_sessions WHERE user_id = $1 RETURNING id", user_id)
    await connection.execute("DELETE FROM users WHERE id = $1", user_id)
    await connection.execute("DELETE FROM customers WHERE id = $1", customer_id)
    return [row["id"] for row in rows]


def _account(row: Any) -> Account:
    return Account(row["id"], row["email"], row["name"], Role(row["role"]), row["is_active"], row["password_hash"])
