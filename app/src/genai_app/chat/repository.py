"""Conversations and their messages in PostgreSQL."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from genai_app.agents.conversation import Answer, HistoryMessage, Source
from genai_app.auth.identity import Identity
from genai_app.errors import Conflict


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


@dataclass(frozen=True)
class Exchange:
    """What one turn adds: the question and its answer."""

    session_id: str
    customer_id: UUID | None
    metadata: dict[str, Any]
    question: str
    answer: Answer


async def find_conversation(connection: asyncpg.Connection, session_id: str, who: Identity) -> tuple[UUID | None, bool]:
    """The caller's conversation of this name, and whether somebody else has one of this name."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT id FROM conversations WHERE session_id = $1 AND user_id = $2) AS own,
               EXISTS (SELECT FROM conversations WHERE session_id = $1 AND user_id <> $2) AS others
        """,
        session_id, who.user_id,
    )  # fmt: skip
    return row["own"], row["others"]


async def last_messages(connection: asyncpg.Connection, conversation: UUID, most: int) -> list[HistoryMessage]:
    """The last `most` messages, oldest first."""
    rows = await connection.fetch(
        "SELECT role, content, agent, sources FROM messages WHERE conversation_id = $1 ORDER BY position DESC LIMIT $2",
        conversation, most,
    )  # fmt: skip
    return [
        HistoryMessage(
            role=row["role"],
            content=row["content"],
            agent=row["agent"],
            sources=tuple(Source(**source) for source in row["sources"]),
        )
        for row in reversed(rows)
    ]


async def add_exchange(connection: asyncpg.Connection, who: Identity, exchange: Exchange) -> UUID:
    """Store question and answer, creating the conversation when it is the first; gives the id of the answer.

    One statement, so one transaction and one trip. Turns of one conversation queue up at its row: the two messages of
    a turn always have neighbouring positions. Raises Conflict when the account has just been deleted.
    """
    try:
        return await _add_exchange(connection, who, exchange)
    except asyncpg.ForeignKeyViolationError:
        raise Conflict("The account or the customer record was deleted in the meantime: log in again.") from None


async def _add_exchange(connection: asyncpg.Connection, who: Identity, exchange: Exchange) -> UUID:
    answer = exchange.answer
    message_id: UUID = await connection.fetchval(
        """
        WITH conversation AS (
            INSERT INTO conversations (session_id, user_id, customer_id, metadata) VALUES ($1, $2, $3, $4)
            ON CONFLICT (session_id, user_id) DO UPDATE
            SET updated_at = now(), metadata = conversations.metadata || EXCLUDED.metadata
            RETURNING id
        ), added AS (
            INSERT INTO messages (conversation_id, role, content, agent, confidence, sources)
            SELECT conversation.id, turn.role, turn.content, turn.agent, turn.confidence, turn.sources
            FROM conversation, (VALUES
                (1, 'user', $5::text, NULL, NULL, '[]'::jsonb),
                (2, 'assistant', $6::text, $7::text, $8::real, $9::jsonb)
            ) AS turn (place, role, content, agent, confidence, sources)
            ORDER BY turn.place
            RETURNING id, role
        )
        SELECT id FROM added WHERE role = 'assistant'
        """,
        exchange.session_id, who.user_id, exchange.customer_id, exchange.metadata, exchange.question,
        answer.text, answer.agent, answer.confidence, [dataclasses.asdict(source) for source in answer.sources],
    )  # fmt: skip
    return message_id


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
