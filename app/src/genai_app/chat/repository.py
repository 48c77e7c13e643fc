"""Stored conversations in PostgreSQL, for reading and deleting; turns write them (`turn_repository.py`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from genai_app.auth.identity import Identity


@dataclass(frozen=True)
class Session:
    """A conversation as its owner sees it in a list."""

    session_id: str
    created_at: datetime
    updated_at: datetime
    messages: int


@dataclass(frozen=True)
class StoredMessage:
    """A message as it was stored; `position` orders the messages of all conversations."""

    id: UUID
    position: int
    role: str
    content: str
    agent: str | None
    confidence: float | None
    sources: list[dict[str, Any]]
    created_at: datetime


async def find_conversation(connection: asyncpg.Connection, session_id: str, who: Identity) -> UUID | None:
    """The caller's conversation of this name."""
    own: UUID | None = await connection.fetchval(
        "SELECT id FROM conversations WHERE session_id = $1 AND user_id = $2", session_id, who.user_id
    )
    return own


async def list_sessions(
    connection: asyncpg.Connection, who: Identity, limit: int, before: tuple[datetime, str] | None
) -> list[Session]:
    """The caller's conversations, the last used first, from `before` (its time and name) on."""
    time, name = before or (None, None)
    rows = await connection.fetch(
        """
        SELECT session_id, created_at, updated_at,
               (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS messages
        FROM conversations c
        WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (updated_at, session_id) < ($2, $3))
        ORDER BY updated_at DESC, session_id DESC LIMIT $4
        """,
        who.user_id, time, name, limit,
    )  # fmt: skip
    return [Session(**row) for row in rows]


async def page_of_messages(
    connection: asyncpg.Connection, conversation: UUID, limit: int, before: int | None
) -> list[StoredMessage]:
    """The last `limit` messages before position `before`, oldest first."""
    rows = await connection.fetch(
        """
        SELECT id, position, role, content, agent, confidence, sources, created_at
        FROM messages WHERE conversation_id = $1 AND ($2::bigint IS NULL OR position < $2)
        ORDER BY position DESC LIMIT $3
        """,
        conversation, before, limit,
    )  # fmt: skip
    return [StoredMessage(**row) for row in reversed(rows)]


async def delete_conversation(connection: asyncpg.Connection, session_id: str, who: Identity) -> bool:
    """Delete the caller's conversation with all messages. False when there is none."""
    deleted = await connection.fetchval(
        "DELETE FROM conversations WHERE session_id = $1 AND user_id = $2 RETURNING id", session_id, who.user_id
    )
    return deleted is not None


async def customer_exists(connection: asyncpg.Connection, customer_id: UUID) -> bool:
    """Whether there is such a customer."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM customers WHERE id = $1)", customer_id))


async def owner_of_vehicle(connection: asyncpg.Connection, vehicle_id: UUID) -> UUID | None:
    """The customer whose vehicle it is; None when there is no such vehicle."""
    owner: UUID | None = await connection.fetchval("SELECT customer_id FROM vehicles WHERE id = $1", vehicle_id)
    return owner


async def put_feedback(
    connection: asyncpg.Connection, who: Identity, message_id: UUID, sentiment: str, comment: str | None
) -> str | None:
    """Store an opinion; gives the sentiment before it (empty: it is the first), None when there is no such answer."""
    before: str | None = await connection.fetchval(
        """
        WITH answer AS (
            SELECT m.id FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id
            WHERE m.id = $1 AND c.user_id = $2 AND m.role = 'assistant'
        ), before AS (
            SELECT sentiment FROM feedback WHERE message_id = $1 AND user_id = $2
        ), stored AS (
            INSERT INTO feedback (message_id, user_id, sentiment, comment) SELECT id, $2, $3, $4 FROM answer
            ON CONFLICT (message_id, user_id) DO UPDATE
            SET sentiment = EXCLUDED.sentiment, comment = EXCLUDED.comment, updated_at = now()
            RETURNING message_id
        )
        SELECT coalesce((SELECT sentiment FROM before), '') FROM stored
        """,
        message_id, who.user_id, sentiment, comment,
    )  # fmt: skip
    return before
