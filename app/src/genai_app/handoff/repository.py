"""Tickets and the outbox in PostgreSQL: one statement for each thing that happens to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from genai_app.handoff.desk import Letter, Receipt
from genai_app.handoff.ticket import EXPECTED_WAIT_MINUTES, Handoff

SAME_TICKET_MINUTES: Final = 60
"""For so long a conversation that is handed over again for the same reason keeps its ticket."""


@dataclass(frozen=True)
class Opening:
    """A ticket that is opened by the statement which stores the turn's messages; `new` is its number if it is new."""

    handoff: Handoff
    new: str
    payload: Mapping[str, Any]
    give_up_hours: float

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the placeholders of `opening_sql` stand for, in order."""
        known = {"reason": self.handoff.reason.value, "language": self.handoff.language}
        return (
            self.new, self.handoff.user_id, self.handoff.session_id, self.handoff.reason.value, self.payload,
            self.give_up_hours, SAME_TICKET_MINUTES, EXPECTED_WAIT_MINUTES, known,
        )  # fmt: skip


@dataclass(frozen=True)
class Claimed:
    """A handoff that this process must deliver now; `remaining` are the seconds until it is given up."""

    letter: Letter
    attempts: int
    remaining: float


@dataclass(frozen=True)
class Waiting:
    """What is not delivered: how many, the age of the oldest in seconds, and in how many the next one is due."""

    depth: int
    oldest: float
    due_in: float | None


def opening_sql(first: int) -> str:
    """Common table expressions whose last one, `ticket (stored jsonb)`, is the conversation's ticket for this reason.

    One that was opened within the hour, else a new one. `first` is the number of the first placeholder.
    """
    number, user, session, reason, payload, hours, minutes, wait, known = (f"${first + place}" for place in range(9))
    return f"""
        open_ticket AS (
            SELECT ticket, status, estimated_wait_minutes FROM handoffs
            WHERE user_id = {user} AND session_id = {session} AND reason = {reason}
              AND status <> 'resolved' AND delivery <> 'dead' AND created_at > now() - make_interval(mins => {minutes})
            ORDER BY created_at DESC LIMIT 1
        ), new_ticket AS (
            INSERT INTO handoffs (ticket, user_id, session_id, reason, payload, give_up_at)
            SELECT {number}, {user}, {session}, {reason}, {payload}, now() + make_interval(secs => {hours} * 3600)
            WHERE NOT EXISTS (SELECT FROM open_ticket)
            RETURNING ticket, status, estimated_wait_minutes
        ), ticket AS (
            SELECT {known}::jsonb || jsonb_build_object(
                'ticket', ticket, 'status', status,
                'estimated_wait_minutes', coalesce(estimated_wait_minutes, {wait}::integer)
            ) AS stored
            FROM (SELECT * FROM open_ticket UNION ALL SELECT * FROM new_ticket) AS either
        )
    """  # noqa: S608 - the placeholders are numbers of our own


async def claim(connection: asyncpg.Connection, most: int, lease_seconds: float) -> list[Claimed]:
    """At most `most` handoffs that are due; nobody else gets them before `lease_seconds` are over."""
    rows = await connection.fetch(
        """
        UPDATE handoffs SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
        WHERE id IN (
            SELECT id FROM handoffs WHERE delivery = 'pending' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, ticket, reason, payload, attempts, extract(epoch FROM give_up_at - now())::float8 AS remaining
        """,
        most, lease_seconds,
    )  # fmt: skip
    return [
        Claimed(Letter(row["id"], row["ticket"], row["reason"], row["payload"]), row["attempts"], row["remaining"])
        for row in rows
    ]


async def delivered(connection: asyncpg.Connection, handoff: UUID, desk: str, receipt: Receipt, *, keep: bool) -> None:
    """The desk has it; `keep` its payload when the desk is this database."""
    await connection.execute(
        """
        UPDATE handoffs SET delivery = 'delivered', delivered_at = now(), desk = $2, status = $3,
            estimated_wait_minutes = $4, desk_ticket = $5, desk_agent = $6, last_failure = NULL,
            payload = CASE WHEN $7::boolean THEN payload END
        WHERE id = $1
        """,
        handoff, desk, receipt.status, receipt.estimated_wait_minutes, receipt.ticket, receipt.agent, keep,
    )  # fmt: skip


async def failed(connection: asyncpg.Connection, claimed: Claimed, failure: str, again_in: float | None) -> bool:
    """Due again in `again_in` seconds, or dead (None). False when somebody else has claimed it since."""
    changed = await connection.fetchval(
        """
        UPDATE handoffs SET last_failure = $3, delivery = CASE WHEN $4::float8 IS NULL THEN 'dead' ELSE 'pending' END,
            next_attempt_at = now() + make_interval(secs => coalesce($4, 0))
        WHERE id = $1 AND attempts = $2 AND delivery = 'pending' RETURNING true
        """,
        claimed.letter.id, claimed.attempts, failure, again_in,
    )  # fmt: skip
    return bool(changed)


async def waiting(connection: asyncpg.Connection) -> Waiting:
    """How the outbox stands, over all replicas."""
    row = await connection.fetchrow(
        """
        SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest,
               extract(epoch FROM min(next_attempt_at) - now())::float8 AS due_in
        FROM handoffs WHERE delivery = 'pending'
        """
    )
    return Waiting(row["depth"], row["oldest"], row["due_in"])
