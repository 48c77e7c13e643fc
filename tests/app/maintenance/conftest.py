"""The maintenance agent on a real database, its clock stopped on a Wednesday morning; offline or with a model."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import pytest
from tests.app.conftest import TEMPLATE, Servers
from tests.app.openai_stub import OpenAIStub, running_stub

from genai_app import db
from genai_app.agents.answering import build_chat_model
from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import Answer, CustomerScope, HistoryMessage, Question, Step, Token
from genai_app.agents.maintenance.agent import continues, work
from genai_app.agents.maintenance.workshop import Workshop
from genai_app.customers.service_history import ServiceHistory
from genai_app.llm.chat_model import ChatModel
from genai_app.llm.offline import OfflineModel
from genai_app.metrics import Metrics
from genai_app.rag.embedding import PackagedEmbedder
from genai_app.rag.retrieval import Retriever
from genai_app.scheduling.builtin import BuiltinScheduler
from genai_app.scheduling.calendar import Calendar
from genai_app.scheduling.protocol import Scheduler
from genai_app.settings import Settings

CALENDAR = Calendar.parse(
    timezone="UTC", opening_hours="Mon-Fri 08:00-18:00, Sat 08:00-12:00", slot_minutes=60, closed_days=""
)


def next_wednesday() -> date:
    """The day on which the tests play: a Wednesday to come, so that real appointments can be made after it."""
    today = datetime.now(UTC).date()
    return today + timedelta(days=(2 - today.weekday()) % 7 + 7)


NOW = datetime.combine(next_wednesday(), time(9, 30), UTC)


def on(days: int) -> date:
    """A day after the Wednesday: 1 is Thursday, 6 is the Tuesday of next week."""
    return NOW.date() + timedelta(days=days)


def said(day: date, *, portuguese: bool = False) -> str:
    """A day as English answers write it, or the number and year of it for Portuguese."""
    return f"{day.day} de" if portuguese else f"{day:%A} {day.day} {day:%B} {day.year}"


@dataclass
class Customer:
    """Somebody who talks with the agent; the state of the dialogue is kept as the chat keeps it."""

    ctx: AgentContext
    scope: CustomerScope | None
    state: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[HistoryMessage, ...] = ()
    steps: list[str] = field(default_factory=list)
    answer: Answer | None = None

    async def say(self, text: str) -> str:
        """Send a message; gives the reply. Checks that the tokens are the text."""
        question = Question(text, self.history, self.scope, self.state)
        tokens, self.steps, self.answer = "", [], None
        async for event in work(self.ctx, question):
            assert self.answer is None, "the answer is the last event"
            if isinstance(event, Token):
                tokens += event.text
            elif isinstance(event, Step):
                self.steps.append(event.name)
            else:
                self.answer = event
        assert self.answer is not None
        assert tokens == (self.answer.text if self.answer.answered else "")
        self.state = self.answer.state
        said_now = (HistoryMessage("user", text), HistoryMessage("assistant", self.answer.text, "maintenance"))
        self.history = (*self.history, *said_now)
        return self.answer.text

    def goes_on(self, text: str) -> bool:
        """Whether a message would be taken as a reply to what was asked."""
        return continues(Question(text, self.history, self.scope, self.state))

    async def booked(self) -> list[tuple[str, datetime, str]]:
        """The appointments in the database: service, time and status."""
        assert self.scope is not None
        async with db.connection(self.ctx.retriever._pool) as connection:
            rows = await connection.fetch(
                "SELECT service_type, scheduled_date, status FROM appointments WHERE customer_id = $1"
                " ORDER BY scheduled_date",
                self.scope.customer_id,
            )
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture(scope="session")
async def talk_pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    """One seeded database for all conversations here."""
    name = f"talks_{uuid4().hex[:12]}"
    await servers.administer(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    async with db.open_pool(servers.settings(name)) as pool:
        yield pool
    await servers.administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def talk_http() -> AsyncIterator[httpx2.AsyncClient]:
    """The client of one process."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def talk_embedder() -> PackagedEmbedder:
    """The packaged model, loaded once."""
    return PackagedEmbedder(768)


@pytest.fixture
async def model_server() -> AsyncIterator[OpenAIStub]:
    """A server that does what a test scripts."""
    async with running_stub() as stub:
        yield stub


@dataclass(frozen=True)
class World:
    """Makes customers of a workshop whose appointments are all of this test."""

    pool: asyncpg.Pool
    embedder: PackagedEmbedder
    metrics: Metrics

    def context(self, *, model: ChatModel | None = None, scheduler: Scheduler | None = None) -> AgentContext:
        """What the agent works with."""
        builtin = BuiltinScheduler(self.pool, CALENDAR, bays=1, now=lambda: NOW)
        return AgentContext(
            model=model or OfflineModel(),
            fallback=OfflineModel(),
            retriever=Retriever(self.pool, self.embedder, self.metrics),
            embedder=self.embedder,
            metrics=self.metrics,
            top_k=5,
            workshop=Workshop(scheduler or builtin, ServiceHistory(self.pool), ZoneInfo("UTC"), now=lambda: NOW),
        )

    async def customer(self, *, model: ChatModel | None = None, scheduler: Scheduler | None = None) -> Customer:
        """A new customer without appointments."""
        customer_id: UUID = await self.pool.fetchval("INSERT INTO customers (name) VALUES ('Ana') RETURNING id")
        return Customer(self.context(model=model, scheduler=scheduler), CustomerScope(uuid4(), customer_id))


@pytest.fixture
async def world(talk_pool: asyncpg.Pool, talk_embedder: PackagedEmbedder) -> World:
    """Nothing is booked yet."""
    await talk_pool.execute("DELETE FROM appointments")
    return World(talk_pool, talk_embedder, Metrics("test"))


@pytest.fixture
async def ana(world: World) -> Customer:
    """A customer of an offline agent."""
    return await world.customer()


@pytest.fixture
async def online(world: World, model_server: OpenAIStub, talk_http: httpx2.AsyncClient) -> Customer:
    """A customer of an agent with a model."""
    settings = Settings.from_environment(
        {"OPENROUTER_API_KEY": "key", "OPENROUTER_BASE_URL": model_server.base_url, "LLM_TIMEOUT_SECONDS": "5"}
    )
    return await world.customer(model=build_chat_model(settings, world.metrics, talk_http))
