"""What only the database knows, as gauges of every replica: its size, and what all replicas together have spent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from genai_app import db
from genai_app.budget import Budget
from genai_app.errors import DatabaseDown
from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_contract.metrics import DATABASE_SIZE, DEPENDENCY_DOWN

EVERY_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 5.0
"""After a look that saw nothing: a database that starts with us is not there at once."""

log = get_logger(__name__)


@asynccontextmanager
async def measuring(pool: asyncpg.Pool, budget: Budget, metrics: Metrics) -> AsyncIterator[None]:
    """Looks at once, and again every minute while the block runs."""
    task = asyncio.create_task(_measure_for_ever(pool, budget, metrics))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measure_for_ever(pool: asyncpg.Pool, budget: Budget, metrics: Metrics) -> None:
    while True:
        done = await measure(pool, budget, metrics)
        await asyncio.sleep(EVERY_SECONDS if done else AGAIN_SECONDS)


async def measure(pool: asyncpg.Pool, budget: Budget, metrics: Metrics) -> bool:
    """One look. Without the database, or before it has a schema, the gauges stay as they are; the former is counted.

    Returns whether it saw.
    """
    try:
        async with db.connection(pool) as connection:
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
        metrics.set(DATABASE_SIZE, size)
        await budget.look()
    except DatabaseDown:
        metrics.count(DEPENDENCY_DOWN, dependency="postgres", policy="gauges-stay")
    except asyncpg.PostgresError as error:
        log.info("not_measured", reason=type(error).__name__)
    else:
        return True
    return False
