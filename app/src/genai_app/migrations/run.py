"""`genai-auto migrate`: brings a database to this build's schema; safe to run many times and in parallel."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from genai_app.db import connect, unreachable_is_database_down
from genai_app.errors import ConfigurationError, DatabaseDown
from genai_app.migrations import HEAD, LOCK_KEY
from genai_app.migrations.vector_index import bring_about
from genai_app.settings import Settings

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 3.0

Report = Callable[[str], None]


async def migrate(settings: Settings, *, wait_seconds: float, report: Report) -> None:
    """Wait at most `wait_seconds` for the database, then apply what is missing; `report` gets one line per step.

    Raises DatabaseDown when it does not come up in time, ConfigurationError when it cannot hold this schema.
    """
    await _wait_for_database(settings, wait_seconds, report)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(settings),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            await connection.commit()
            before = await _revision(connection)
            await connection.run_sync(_upgrade, settings.embedding_dimension)
            await connection.commit()
            await _check_dimension(connection, settings.embedding_dimension)
            await connection.commit()  # an open transaction would keep an index from ever being ready
            await bring_about(settings, report)
    except DBAPIError as error:
        raise _explained(error) from error
    finally:
        await engine.dispose()
    if before is not None and before >= HEAD:
        report(f"the schema is at revision {before}: nothing to do")
    else:
        report(f"the schema went from {before or 'empty'} to revision {HEAD}")


def alembic_configuration() -> Config:
    """Alembic's configuration, without a file: the revisions are inside this package."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _upgrade(connection: Connection, embedding_dimension: int) -> None:
    configuration = alembic_configuration()
    configuration.attributes["connection"] = connection
    configuration.attributes["embedding_dimension"] = embedding_dimension
    found = connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one()
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if found else None
    if version is None or version < HEAD:  # a newer schema is left alone: an older build may still run against it
        command.upgrade(configuration, "head")


async def _revision(connection: AsyncConnection) -> str | None:
    exists = (await connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL"))).scalar_one()
    if not exists:
        return None
    version: str | None = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    return version


async def _check_dimension(connection: AsyncConnection, wanted: int) -> None:
    """The column was made with the dimension of its day; a vector of another length would fail at every insert."""
    found = (
        await connection.execute(
            text(
                "SELECT atttypmod FROM pg_attribute "
                "WHERE attrelid = 'document_embeddings'::regclass AND attname = 'embedding'"
            )
        )
    ).scalar_one()
    if found != wanted:
        raise ConfigurationError(
            f"EMBEDDING_DIMENSION is {wanted}, but this database stores vectors of length {found}: "
            f"set EMBEDDING_DIMENSION={found}, or start with an empty database"
        )


async def _wait_for_database(settings: Settings, wait_seconds: float, report: Report) -> None:
    started, pause, told = time.monotonic(), FIRST_PAUSE_SECONDS, False
    while True:
        try:
            with unreachable_is_database_down():
                connection = await connect(settings)
            await connection.close()
        except DatabaseDown as down:
            cause = down.__cause__
            if isinstance(cause, asyncpg.InvalidAuthorizationSpecificationError):
                raise ConfigurationError(
                    "the database refuses POSTGRES_USER with this POSTGRES_PASSWORD: check both"
                ) from cause
            waited = time.monotonic() - started
            if waited + pause > wait_seconds:
                raise
            if not told or pause == LONGEST_PAUSE_SECONDS:
                report(f"waiting for the database ({waited:.0f} of at most {wait_seconds:.0f} seconds)")
                told = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            return


def _explained(error: DBAPIError) -> ConfigurationError | DatabaseDown:
    message = str(error.orig)
    if "vector" in message and ("is not available" in message or "could not open extension" in message):
        return ConfigurationError(
            "this PostgreSQL has no pgvector: use an image that has it, such as pgvector/pgvector:pg16"
        )
    if "permission denied" in message:
        return ConfigurationError(
            "POSTGRES_USER may not create the schema: make it the owner of the database "
            "(pgvector is a trusted extension: an owner may create it)"
        )
    return DatabaseDown()
