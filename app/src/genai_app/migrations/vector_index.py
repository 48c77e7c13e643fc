"""The index over vectors: brought to what the settings ask for, without a moment in which searches are not served."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from genai_app.db import connect, unreachable_is_database_down
from genai_app.errors import ConfigurationError
from genai_app.migrations import LOCK_KEY
from genai_app.settings import Settings
from genai_contract.config import VectorIndex

TABLE: Final = "document_embeddings"
NAMES: Final = ("idx_document_embeddings_vector", "idx_document_embeddings_vector_2")
"""One is built while the other serves."""
FEWEST_ROWS: Final = 1000
"""Below, IVFFlat is worse than none: its centres would be of almost nothing (recall 0.352 was measured on an empty
table), while an exact scan of so few takes about a millisecond."""
ROWS_PER_LIST, FEWEST_LISTS, MANY_ROWS = 1000, 10, 1_000_000
"""pgvector's advice: rows / 1000 lists up to a million rows, then the square root."""
OUTGROWN: Final = 4
"""IVFFlat is built anew when the lists that it should have differ from those that it has by this factor."""
_HNSW_DEFAULTS: Final = {"m": 16, "ef_construction": 64}
_DIGITS: Final = re.compile(r"^[0-9]+$")

Report = Callable[[str], None]


@dataclass(frozen=True)
class Index:
    """An index over vectors: `method` is PostgreSQL's access method, `options` are its parameters."""

    method: str
    options: Mapping[str, int]

    def fits(self, wanted: "Index") -> bool:
        """Whether it may stay although `wanted` is asked for."""
        if self.method != wanted.method:
            return False
        if self.method == "ivfflat":
            ratio = self.options.get("lists", 100) / wanted.options["lists"]
            return 1 / OUTGROWN < ratio < OUTGROWN
        return {**_HNSW_DEFAULTS, **self.options} == wanted.options

    def statement(self, name: str) -> str:
        """How it is made while searches and writes go on."""
        options = ", ".join(f"{key} = {value}" for key, value in self.options.items())
        what = f"{TABLE} USING {self.method} (embedding vector_cosine_ops)"
        return f"CREATE INDEX CONCURRENTLY {name} ON {what} WITH ({options})"


@dataclass(frozen=True)
class Found:
    """An index that there is; `valid` is false for what an interrupted build left."""

    name: str
    valid: bool
    index: Index


def wanted_index(settings: Settings, rows: int) -> Index | None:
    """What the settings ask for with so many rows; None: an exact scan is better."""
    if settings.vector_index is VectorIndex.HNSW:
        options = {"m": settings.vector_index_hnsw_m, "ef_construction": settings.vector_index_hnsw_ef_construction}
        return Index("hnsw", options)
    if rows < FEWEST_ROWS:
        return None
    lists = math.isqrt(rows) if rows > MANY_ROWS else max(rows // ROWS_PER_LIST, FEWEST_LISTS)
    return Index("ivfflat", {"lists": lists})


def plan(found: Sequence[Found], wanted: Index | None) -> tuple[str, ...]:
    """The statements to get there, in order; none when it is there."""
    broken = [each.name for each in found if not each.valid]
    sound = [each for each in found if each.valid]
    kept = next((each.name for each in sound if wanted is not None and each.index.fits(wanted)), None)
    others = [each.name for each in sound if each.name != kept]
    made = []
    if wanted is not None and kept is None:
        made = [wanted.statement(next(name for name in NAMES if name not in others))]
    return (*map(_drop, broken), *made, *map(_drop, others))


def _drop(name: str) -> str:
    return f"DROP INDEX CONCURRENTLY IF EXISTS {name}"


async def bring_about(settings: Settings, report: Report) -> None:
    """Make the index what it should be, on a connection of its own: CONCURRENTLY cannot be part of a transaction.

    The caller holds the lock of those who change the schema. Raises ConfigurationError when PostgreSQL refuses it.
    """
    connection = await connect(settings)
    try:
        rows = await connection.fetchval(f"SELECT count(*) FROM {TABLE}")  # noqa: S608 - a constant
        for statement in plan(await find(connection), wanted_index(settings, rows)):
            report(f"{statement} ({rows} passages)")
            await connection.execute(statement)
    except (asyncpg.DataError, asyncpg.InsufficientPrivilegeError) as error:
        raise ConfigurationError(f"the index over vectors cannot be made: {error}") from error
    finally:
        await connection.close()


async def bring_about_alone(settings: Settings, report: Report) -> None:
    """The same for whoever does not hold the lock, and has just written many passages. Raises DatabaseDown, too."""
    with unreachable_is_database_down():
        lock = await connect(settings)
        try:
            await lock.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
            await bring_about(settings, report)
        finally:
            await lock.close()


async def find(connection: asyncpg.Connection) -> tuple[Found, ...]:
    """The indexes over vectors that there are, by name."""
    records = await connection.fetch(
        """
        SELECT class.relname AS name, index.indisvalid AS valid, am.amname AS method,
               coalesce(class.reloptions, '{}') AS options
          FROM pg_index AS index
          JOIN pg_class AS class ON class.oid = index.indexrelid
          JOIN pg_am AS am ON am.oid = class.relam
         WHERE index.indrelid = $1::text::regclass AND am.amname IN ('hnsw', 'ivfflat')
         ORDER BY class.relname
        """,
        TABLE,
    )
    return tuple(Found(r["name"], r["valid"], Index(r["method"], _options(r["options"]))) for r in records)


def _options(texts: Sequence[str]) -> dict[str, int]:
    pairs = (text.partition("=") for text in texts)
    return {key: int(value) for key, _, value in pairs if _DIGITS.match(value)}
