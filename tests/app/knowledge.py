"""A seeded database that a whole folder of tests reads from, and nobody writes to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
from tests.app.conftest import TEMPLATE, Servers

from genai_app import db


@asynccontextmanager
async def seeded_pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    """A pool on a copy of the seeded template."""
    name = f"seeded_{uuid4().hex[:12]}"
    await servers.administer(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    async with db.open_pool(servers.settings(name)) as pool:
        yield pool
    await servers.administer(f"DROP DATABASE {name} WITH (FORCE)")
