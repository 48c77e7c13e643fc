"""A turn's own statements in PostgreSQL: open its conversation, hold its message, store its exchange."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg

from genai_app.agents.conversation import Answer, HistoryMessage, Source
from genai_app.errors import Conflict
from genai_app.handoff.repository import Opening, opening_sql


@dataclass(frozen=True)
class Opened:
    """The caller's conversation of a name, or None; `others`: somebody else has one of this name.

    `earlier` holds question and answer that the message's `client_message_id` stands for already.
    """

    id: UUID | None
    others: bool
    state: Mapping[str, Any]
    history: list[HistoryMessage]
    confidences: tuple[float | None, ...]
    earlier: Mapping[str, Any] | None


@dataclass(frozen=True)
class Exchange:
    """What one turn adds: the question and its answer, with `details` (JSON) for which there is no column.

    `login` is given when nobody has been asked yet: the exchange is then stored for the login's own customer, and only
    if the login stands, the conversation has no messages and its name (a UUID) is nobody else's.
    """

    session_id: str
    customer_id: UUID | None
    metadata: dict[str, Any]
    question: str
    answer: Answer
    client_message_id: str | None = None
    holder: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    login: UUID | None = None


@dataclass(frozen=True)
class Stored:
    """The id of the answer, and the ticket that was opened with it."""

    message_id: UUID
    ticket: Mapping[str, Any] | None


class AnsweredAlready(Exception):
    """The conversation has this `client_message_id`: nothing was stored."""


async def open_conversation(
    connection: asyncpg.Connection, user_id: UUID, session_id: str, most: int, client_message_id: str | None
) -> Opened:
    """Everything that a turn must know of its conversation, with the last `most` messages, in one statement."""
    row = await connection.fetchrow(
        """
        WITH own AS (SELECT id, state FROM conversations WHERE session_id = $1 AND user_id = $2)
        SELECT own.id, own.state,
               EXISTS (SELECT FROM conversations WHERE session_id = $1 AND user_id <> $2) AS others,
               (SELECT jsonb_agg(jsonb_build_object(
                           'role', role, 'content', content, 'agent', agent, 'sources', sources,
                           'confidence', confidence
                       ) ORDER BY position)
                FROM (SELECT * FROM messages WHERE conversation_id = own.id ORDER BY position DESC LIMIT $3) AS last
               ) AS history,
               (SELECT jsonb_build_object(
                           'question', question.content, 'id', answer.id, 'text', answer.content,
                           'agent', answer.agent, 'confidence', answer.confidence, 'sources', answer.sources,
                           'details', answer.details
                       )
                FROM messages AS question
                JOIN LATERAL (
                    SELECT * FROM messages AS next
                    WHERE next.conversation_id = own.id AND next.position > question.position
                    ORDER BY next.position LIMIT 1
                ) AS answer ON true
                WHERE question.conversation_id = own.id AND question.client_message_id = $4
               ) AS earlier
        FROM (VALUES (1)) AS one LEFT JOIN own ON true
        """,
        session_id, user_id, most, client_message_id,
    )  # fmt: skip
    messages = row["history"] or ()
    history = [
        HistoryMessage(
            role=message["role"],
            content=message["content"],
            agent=message["agent"],
            sources=tuple(Source(**source) for source in message["sources"]),
        )
        for message in messages
    ]
    confidences = tuple(message["confidence"] for message in messages if message["role"] == "assistant")
    return Opened(row["id"], row["others"], row["state"] or {}, history, confidences, row["earlier"])


async def hold_message(
    connection: asyncpg.Connection, user_id: UUID, session_id: str, client_message_id: str, holder: UUID, seconds: float
) -> bool:
    """Take the right to answer a message for `seconds`, or prolong one's own. False while another holder has it."""
    held = await connection.fetchval(
        """
        INSERT INTO running_turns (user_id, session_id, client_message_id, holder, expires_at)
        VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
        ON CONFLICT (user_id, session_id, client_message_id) DO UPDATE
        SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
        WHERE running_turns.holder = EXCLUDED.holder OR running_turns.expires_at < now()
        RETURNING true
        """,
        user_id, session_id, client_message_id, holder, seconds,
    )  # fmt: skip
    return bool(held)


async def release_message(connection: asyncpg.Connection, holder: UUID) -> None:
    """Give up the right to answer: whoever sends the message again may answer it."""
    await connection.execute("DELETE FROM running_turns WHERE holder = $1", holder)


async def add_exchange(
    connection: asyncpg.Connection, user_id: UUID, exchange: Exchange, opening: Opening | None = None
) -> Stored | None:
    """Store question and answer, creating the conversation when it is the first, and a person's ticket if there is one.

    One statement, so one transaction and one trip; it ends the right to answer the message, too. Turns of one
    conversation queue up at its row: the two messages of a turn always have neighbouring positions.
    None: `login` was given and something speaks against it. Raises Conflict when the account has just been
    deleted, AnsweredAlready.
    """
    try:
        return await _add_exchange(connection, user_id, exchange, opening)
    except asyncpg.UniqueViolationError:
        raise AnsweredAlready from None
    except asyncpg.ForeignKeyViolationError:
        raise Conflict("The account or the customer record was deleted in the meantime: log in again.") from None


async def _add_exchange(
    connection: asyncpg.Connection, user_id: UUID, exchange: Exchange, opening: Opening | None
) -> Stored | None:
    answer = exchange.answer
    row = await connection.fetchrow(
        _ADD_EXCHANGE if opening is None else _ADD_EXCHANGE_AND_TICKET,
        exchange.session_id, user_id, exchange.customer_id, exchange.metadata, answer.state, exchange.question,
        exchange.client_message_id, answer.text, answer.agent, answer.confidence,
        [dataclasses.asdict(source) for source in answer.sources], exchange.details, exchange.holder,
        exchange.login, is_issued(exchange.session_id), *(opening.arguments if opening else ()),
    )  # fmt: skip
    return None if row is None else Stored(row["id"], row["ticket"])


def _add_exchange_sql(ticket: str) -> str:
    """`ticket`: common table expressions of which one is `ticket (stored)`, with at most one row."""
    return f"""
        WITH {ticket}, allowed AS (
            SELECT $3::uuid AS customer_id WHERE $14::uuid IS NULL
            UNION ALL
            SELECT customer_id FROM active_logins WHERE session_id = $14 AND user_id = $2 AND NOT EXISTS (
                SELECT FROM conversations AS c WHERE c.session_id = $1 AND (
                    c.user_id = $2 AND EXISTS (SELECT FROM messages WHERE conversation_id = c.id)
                    OR c.user_id <> $2 AND $15::boolean
                )
            )
        ), conversation AS (
            INSERT INTO conversations (session_id, user_id, customer_id, metadata, state)
            SELECT $1, $2, customer_id, $4, $5 FROM allowed
            ON CONFLICT (session_id, user_id) DO UPDATE
            SET updated_at = now(), metadata = conversations.metadata || EXCLUDED.metadata, state = EXCLUDED.state
            RETURNING id
        ), released AS (
            DELETE FROM running_turns WHERE holder = $13::uuid
        ), added AS (
            INSERT INTO messages
                (conversation_id, role, content, client_message_id, agent, confidence, sources, details)
            SELECT conversation.id, turn.role, turn.content, turn.client_message_id, turn.agent, turn.confidence,
                   turn.sources, turn.details
            FROM conversation, (VALUES
                (1, 'user', $6::text, $7::text, NULL, NULL, '[]'::jsonb, '{{}}'::jsonb),
                (2, 'assistant', $8::text, NULL, $9::text, $10::real, $11::jsonb,
                 $12::jsonb || jsonb_build_object('handoff', (SELECT stored FROM ticket)))
            ) AS turn (place, role, content, client_message_id, agent, confidence, sources, details)
            ORDER BY turn.place
            RETURNING id, role
        )
        SELECT id, (SELECT stored FROM ticket) AS ticket FROM added WHERE role = 'assistant'
    """  # noqa: S608 - of our own texts


_ADD_EXCHANGE: Final = _add_exchange_sql("ticket AS (SELECT NULL::jsonb AS stored)")
_ADD_EXCHANGE_AND_TICKET: Final = _add_exchange_sql(opening_sql(first=16))


def is_issued(session_id: str) -> bool:
    """Whether a name may be one that we gave out (a UUID): such a name has one owner for ever.

    Names that clients choose, such as `test-session`, are each owner's own: nobody can occupy or probe them.
    """
    try:
        return str(UUID(session_id)) == session_id
    except ValueError:
        return False
