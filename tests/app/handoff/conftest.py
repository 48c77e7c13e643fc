"""A database with one customer, a desk, and a turn that is handed over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from pydantic import TypeAdapter
from tests.app.conftest import Servers
from tests.app.handoff.desk_stub import Desk, running_desk

from genai_app import db
from genai_app.agents.conversation import HistoryMessage
from genai_app.chat.handing_over import answer_on_words
from genai_app.chat.stored_answers import details
from genai_app.chat.turn_repository import Exchange, add_exchange
from genai_app.handoff.delivery import Deliverer
from genai_app.handoff.desk import LocalDesk
from genai_app.handoff.policy import HandoffReason
from genai_app.handoff.service import Handoffs
from genai_app.handoff.ticket import Handoff, Ticket
from genai_app.metrics import Metrics
from genai_app.settings import Settings

ROOT = Path(__file__).parents[3]
SECRET = "0123456789abcdef" * 4
SPOKEN = "My e-mail is ana@example.com, I want to speak to a human"


async def stored(connection: asyncpg.Connection, handoffs: Handoffs, handoff: Handoff) -> Ticket:
    """The ticket of a handoff, stored with a turn that the words alone decided."""
    answer = answer_on_words(HandoffReason.USER_REQUEST, handoff.text)
    exchange = Exchange(
        session_id=handoff.session_id,
        customer_id=handoff.customer_id,
        metadata={},
        question=handoff.text,
        answer=answer,
        details=details(answer, cached=False),
    )
    added = await add_exchange(connection, handoff.user_id, exchange, handoffs.opening(handoff))
    assert added is not None
    return TypeAdapter(Ticket).validate_python(added.ticket)


@dataclass
class World:
    """What a process has, and what a test looks at. `settings` name the desk."""

    pool: asyncpg.Pool
    http: httpx2.AsyncClient
    metrics: Metrics
    settings: Settings
    user_id: UUID

    def handoff(self, session_id: str = "s1", **fields: Any) -> Handoff:
        """A turn of the customer."""
        values: dict[str, Any] = {
            "reason": HandoffReason.USER_REQUEST,
            "session_id": session_id,
            "user_id": self.user_id,
            "customer_id": None,
            "text": SPOKEN,
            "language": "en",
            "history": (
                HistoryMessage("user", "My CPF is 529.982.247-25"),
                HistoryMessage("assistant", "Thank you", agent="specs"),
            ),
            "agent": "specs",
            "confidence": 0.4,
        }
        return Handoff(**(values | fields))

    def handoffs(self, deliverer: Deliverer | None = None) -> Handoffs:
        """Those of a process; without a deliverer, of one that delivers nothing."""
        asleep = deliverer or Deliverer(self.pool, LocalDesk(), self.metrics, 30)
        return Handoffs(asleep, self.metrics, dead_letter_hours=24, mask=str)

    async def hand_over(self, handoffs: Handoffs, handoff: Handoff) -> Ticket:
        """As a turn does it."""
        async with db.connection(self.pool) as connection:
            ticket = await stored(connection, handoffs, handoff)
        handoffs.committed(handoff)
        return ticket

    def now(self) -> datetime:
        """The present, as the database counts it."""
        return datetime.now(UTC)

    async def rows(self) -> list[dict[str, Any]]:
        """Every ticket, the oldest first."""
        return [dict(row) for row in await self.pool.fetch("SELECT * FROM handoffs ORDER BY created_at")]

    async def execute(self, statement: str) -> None:
        """Change the database from outside."""
        await self.pool.execute(statement)

    def sample(self, name: str) -> float:
        """A sample of the metrics, 0 when it is not there."""
        lines = (line.rpartition(" ") for line in self.metrics.render().decode().splitlines())
        return next((float(value) for sample, _, value in lines if sample == name), 0.0)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait for what the database or the desk says."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the conditions are in the database and at the desk
            await asyncio.sleep(0.02)


async def all_are(world: World, delivery: str) -> bool:
    """Whether every handoff is in this state."""
    return {row["delivery"] for row in await world.rows()} == {delivery}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk that accepts everything until its script says otherwise."""
    async with running_desk() as running:
        yield running


@pytest.fixture
async def world(servers: Servers, database: str, desk: Desk) -> AsyncIterator[World]:
    """A process whose desk is `desk`."""
    settings = servers.settings(database, HUMAN_SUPPORT_WEBHOOK=desk.url, HUMAN_SUPPORT_WEBHOOK_SECRET=SECRET)
    async with db.open_pool(settings) as pool, httpx2.AsyncClient(trust_env=False) as http:
        user_id = await pool.fetchval(
            "INSERT INTO users (email, name, password_hash) VALUES ('ana@example.com', 'Ana', 'x') RETURNING id"
        )
        yield World(pool, http, Metrics("test"), settings, user_id)
