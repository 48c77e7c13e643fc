"""The database schema: which revision this build needs, and how far a database is.

Light on purpose: readiness asks here on every probe, so Alembic and SQLAlchemy are only imported by `run.py`.
"""

from typing import Final

import asyncpg

HEAD: Final = "0007"
"""The newest revision of this build. Revisions are zero-padded numbers: their order is the order of their names."""

LOCK_KEY: Final = 7_103_270_501
"""Advisory lock of everybody who changes this schema; an arbitrary number that nobody else uses."""


async def schema_is_current(connection: asyncpg.Connection) -> bool:
    """Whether the schema is not behind this build; a newer one counts as current, as during a rolling update."""
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return False
    return found is not None and str(found) >= HEAD
