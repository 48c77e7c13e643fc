"""The PostgreSQL pool: asyncpg without an ORM, bounded waits, and one error for every way in which it can be away.

The pool connects lazily: the process starts without a database, says so on /readyz and recovers by itself.
"""

import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from pgvector import Vector

from genai_app.errors import DatabaseDown
from genai_app.logs import get_logger
from genai_app.settings import Settings
from genai_contract.config import SSLMode

log = get_logger(__name__)

CONNECT_SECONDS = 3.0
PATIENT_CONNECT_SECONDS = 5.0
"""For a command, which nobody waits for in front of a page."""
ACQUIRE_SECONDS = 5.0
"""Longest wait for a free connection: a full pool answers 503 instead of piling up requests."""
STATEMENT_SECONDS = 15.0

_UNREACHABLE = (
    OSError,  # refused, reset, no route; TimeoutError is one of them
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,  # the protocol was cut in the middle of a reply
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,  # the database does not exist (yet, or during a restore)
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ReadOnlySQLTransactionError,  # a failover: this server has become a standby
)


def open_pool(settings: Settings) -> asyncpg.Pool:
    """A pool of at most `database_pool_size` connections; `async with` it. None is opened before it is needed."""
    return asyncpg.create_pool(
        settings.database_dsn,
        ssl=encryption(settings),
        min_size=0,
        max_size=settings.database_pool_size,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        init=_preparation(settings),
        reset=_keep_session,
        server_settings={"application_name": "genai-auto", "timezone": "UTC"},
    )


async def connect(settings: Settings) -> asyncpg.Connection:
    """A connection of one's own, for commands; raises whatever the driver raises."""
    return await asyncpg.connect(settings.database_dsn, ssl=encryption(settings), timeout=PATIENT_CONNECT_SECONDS)


def encryption(settings: Settings) -> ssl.SSLContext | bool | None:
    """What asyncpg is told of POSTGRES_SSLMODE; None: as DATABASE_URL says, which prefers TLS if it says nothing."""
    mode = settings.postgres_sslmode
    if mode is SSLMode.PREFER:
        return None
    if mode is SSLMode.DISABLE:
        return False
    context = ssl.create_default_context(cafile=settings.postgres_sslrootcert or None)
    context.check_hostname = mode is SSLMode.VERIFY_FULL
    if mode is SSLMode.REQUIRE:
        context.verify_mode = ssl.CERT_NONE
    return context


@asynccontextmanager
async def connection(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection in autocommit: each statement is its own transaction. Raises DatabaseDown."""
    with unreachable_is_database_down():
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as acquired:
            yield acquired


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection in one transaction, committed when the block ends without an error. Raises DatabaseDown."""
    async with connection(pool) as acquired, acquired.transaction():
        yield acquired


@contextmanager
def unreachable_is_database_down() -> Iterator[None]:
    """Turn every error that means "the database is away" into DatabaseDown; let the others through.

    Nothing else that may raise an OSError belongs inside.
    """
    try:
        yield
    except _UNREACHABLE as error:
        raise DatabaseDown from error
    except asyncpg.InterfaceError as error:
        if not _CLOSED.search(str(error)):  # the driver's name for our own mistakes too
            raise
        raise DatabaseDown from error


_CLOSED = re.compile("connection is closed|pool is clos(ed|ing)")


async def _register_codecs(fresh: asyncpg.Connection) -> None:
    """jsonb as Python values, vectors as numpy arrays, lists or `pgvector.Vector`, in binary."""
    await fresh.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text")
    try:
        await fresh.set_type_codec(
            "vector", schema="public", encoder=_encode_vector, decoder=Vector.from_binary, format="binary"
        )
    except ValueError:  # the schema is not there yet: readiness says so, and drops this connection when it is
        return


def _preparation(settings: Settings) -> Callable[[asyncpg.Connection], Awaitable[None]]:
    """What is done with each new connection, before it is used."""
    # A filter on provider and model may leave less of an index than was asked for: then it is read on.
    session = {
        "hnsw.ef_search": str(settings.hnsw_ef_search),
        "hnsw.iterative_scan": "relaxed_order",
        "ivfflat.probes": str(settings.ivfflat_probes),
        "ivfflat.iterative_scan": "relaxed_order",
    }

    async def prepare(fresh: asyncpg.Connection) -> None:
        await _register_codecs(fresh)
        # Not with the greeting: a pooler between us and the server refuses what it does not know.
        await fresh.execute(
            "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS session (name, value)",
            list(session),
            list(session.values()),
        )
        if settings.debug:  # each statement and its time; never its arguments, which are customers' data
            fresh.add_query_logger(_log_statement)

    return prepare


def _log_statement(record: asyncpg.connection.LoggedQuery) -> None:
    milliseconds = round(record.elapsed * 1000, 2)
    log.debug("statement", sql=" ".join(record.query.split()), milliseconds=milliseconds, failed=bool(record.exception))


def _encode_vector(value: Any) -> bytes:
    vector = value if isinstance(value, Vector) else Vector(value)
    encoded: bytes = vector.to_binary()
    return encoded


async def _keep_session(_: asyncpg.Connection) -> None:
    """No reset on release: nothing here changes session state, and asyncpg's reset costs a round trip a request."""
