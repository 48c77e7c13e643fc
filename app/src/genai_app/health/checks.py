"""The state of the database, Redis and the model server, each within a bounded time; never a driver's words."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import asyncpg

from genai_app.breaker import Breaker
from genai_app.db import unreachable_is_database_down
from genai_app.errors import DatabaseDown
from genai_app.llm.chat_model import ChatModel
from genai_app.migrations import schema_is_current
from genai_app.settings import Settings
from genai_contract.config import LLMProvider

CHECK_SECONDS = 2.0


class NotReady(StrEnum):
    """Why a process must not get requests."""

    DATABASE_UNREACHABLE = "database_unreachable"
    SCHEMA_BEHIND = "schema_behind"


@dataclass(frozen=True)
class Services:
    """The `services` of /health."""

    database: Literal["connected", "disconnected"]
    redis: Literal["connected", "disconnected"]
    llm: Literal["configured", "unconfigured", "unreachable", "offline"]


class Checks:
    """Looks at what one application depends on."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, redis_breaker: Breaker | None, model: ChatModel) -> None:
        self._pool = pool
        self._model = model
        self._breaker = redis_breaker
        self._needs_redis = bool(settings.redis_url)
        self._llm: Literal["configured", "offline"] = (
            "offline" if settings.answering_provider is LLMProvider.OFFLINE else "configured"
        )
        self._schema_was_behind = False

    async def not_ready(self) -> NotReady | None:
        """None when requests can be served: the database answers and its schema is not behind this build."""
        try:
            with unreachable_is_database_down():
                async with asyncio.timeout(CHECK_SECONDS), self._pool.acquire() as connection:
                    current = await schema_is_current(connection)
        except DatabaseDown:
            return NotReady.DATABASE_UNREACHABLE
        if not current:
            self._schema_was_behind = True
            return NotReady.SCHEMA_BEHIND
        if self._schema_was_behind:  # connections from before know nothing of the schema's types
            await self._pool.expire_connections()
            self._schema_was_behind = False
        return None

    async def services(self) -> Services:
        """What each dependency is like at this moment."""
        database, redis = await asyncio.gather(self.not_ready(), self._redis_answers())
        return Services(
            database="disconnected" if database is NotReady.DATABASE_UNREACHABLE else "connected",
            redis="connected" if redis else "disconnected",
            llm=self._llm if self._model.reachable else "unreachable",
        )

    def status(self, services: Services) -> Literal["healthy", "degraded", "unhealthy"]:
        """One word for it; Redis counts only where it is configured."""
        if services.database == "disconnected":
            return "unhealthy"
        return "degraded" if self._needs_redis and services.redis == "disconnected" else "healthy"

    async def _redis_answers(self) -> bool:
        return self._breaker is not None and await self._breaker.answers()
