"""Which state the knowledge base is in, as the cache's keys need it; asked of the database every few seconds only."""

import time

import asyncpg

from genai_app import db
from genai_app.rag.repository import knowledge_base_version

FRESH_SECONDS = 5.0
"""For so long after an upload may a cached answer still come from the documents before it."""


class KnowledgeVersion:
    """One per process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._version = ""
        self._asked_at = float("-inf")

    async def current(self) -> str:
        """The version, at most `FRESH_SECONDS` old. Raises DatabaseDown."""
        if time.monotonic() - self._asked_at > FRESH_SECONDS:
            async with db.connection(self._pool) as connection:
                self._version = await knowledge_base_version(connection)
            self._asked_at = time.monotonic()
        return self._version
