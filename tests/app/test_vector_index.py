"""The index over vectors follows the settings, on a real PostgreSQL, and searches go on meanwhile."""

import asyncio
import hashlib
import random

import asyncpg
import pytest
from tests.app.conftest import Servers

from genai_app import db
from genai_app.errors import ConfigurationError
from genai_app.migrations.run import migrate
from genai_app.migrations.vector_index import FEWEST_ROWS, Found, Index, find, plan, wanted_index
from genai_app.settings import Settings

pytestmark = pytest.mark.service

DIMENSION = 16
ROWS, CENTRES = 3000, 60
RECALL = 0.95
"""Of the five nearest, compared with an exact scan."""
FIRST, SECOND = "idx_document_embeddings_vector", "idx_document_embeddings_vector_2"
HNSW = Index("hnsw", {"m": 16, "ef_construction": 64})


def with_index(**variables: str) -> Settings:
    return Settings.from_environment(variables)


@pytest.mark.parametrize(
    ("variables", "rows", "wanted"),
    [
        ({}, 0, HNSW),
        ({"VECTOR_INDEX_HNSW_M": "32", "VECTOR_INDEX_HNSW_EF_CONSTRUCTION": "128"}, 5,
         Index("hnsw", {"m": 32, "ef_construction": 128})),
        ({"VECTOR_INDEX": "ivfflat"}, FEWEST_ROWS - 1, None),
        ({"VECTOR_INDEX": "ivfflat"}, FEWEST_ROWS, Index("ivfflat", {"lists": 10})),
        ({"VECTOR_INDEX": "ivfflat"}, 50_000, Index("ivfflat", {"lists": 50})),
        ({"VECTOR_INDEX": "ivfflat"}, 4_000_000, Index("ivfflat", {"lists": 2000})),
    ],
)  # fmt: skip
def test_lists_follow_from_the_rows(variables: dict[str, str], rows: int, wanted: Index | None) -> None:
    assert wanted_index(with_index(**variables), rows) == wanted


def test_an_index_stays_while_it_fits() -> None:
    ten, forty = Index("ivfflat", {"lists": 10}), Index("ivfflat", {"lists": 40})
    assert plan([Found(FIRST, True, Index("hnsw", {}))], HNSW) == ()
    assert plan([Found(FIRST, True, ten)], Index("ivfflat", {"lists": 39})) == ()
    make, drop = plan([Found(FIRST, True, ten)], forty)
    assert make.startswith(f"CREATE INDEX CONCURRENTLY {SECOND} ")
    assert drop == f"DROP INDEX CONCURRENTLY IF EXISTS {FIRST}"
    assert plan([Found(SECOND, True, HNSW)], None) == (f"DROP INDEX CONCURRENTLY IF EXISTS {SECOND}",)


def vectors() -> list[list[float]]:
    """Points around centres, as texts lie around subjects."""
    draw = random.Random(7)  # noqa: S311 - a fixed set of points, not a secret
    centres = [[draw.gauss(0, 1) for _ in range(DIMENSION)] for _ in range(CENTRES)]
    return [[value + draw.gauss(0, 0.4) for value in centres[row % CENTRES]] for row in range(ROWS)]


@pytest.fixture
async def filled(servers: Servers, empty_database: str) -> Settings:
    """A database with 3,000 passages."""
    settings = servers.settings(empty_database, EMBEDDING_DIMENSION=str(DIMENSION))
    await migrate(settings, wait_seconds=5, report=print)
    async with db.open_pool(settings) as pool, db.connection(pool) as connection:
        rows = [
            (f"{row}.md", f"passage {row}", vector, hashlib.sha256(str(row).encode()).hexdigest())
            for row, vector in enumerate(vectors())
        ]
        await connection.executemany(
            "INSERT INTO document_embeddings (source, content, embedding, content_hash, position, embedding_provider, "
            "embedding_model) VALUES ($1, $2, $3, $4, 0, 'p', 'm')",
            rows,
        )
        await connection.execute("ANALYZE document_embeddings")
    return settings


async def migrated(settings: Settings, **changes: object) -> list[str]:
    """Migrate with changed settings; gives the statements that were reported."""
    said: list[str] = []
    await migrate(settings.model_copy(update=changes), wait_seconds=5, report=said.append)
    return [line for line in said if "INDEX" in line]


async def indexes(settings: Settings) -> dict[str, tuple[str, dict[str, int], bool]]:
    connection = await asyncpg.connect(settings.database_dsn)
    try:
        return {each.name: (each.index.method, dict(each.index.options), each.valid) for each in await find(connection)}
    finally:
        await connection.close()


async def test_the_index_follows_the_settings_while_searches_go_on(filled: Settings) -> None:
    assert await migrated(filled) == []
    searches = 0

    async def search() -> None:
        nonlocal searches
        async with db.open_pool(filled) as pool:
            while True:
                async with db.connection(pool) as connection:
                    statement = "SELECT id FROM document_embeddings ORDER BY embedding <=> $1 LIMIT 5"
                    assert len(await connection.fetch(statement, [1.0] * DIMENSION)) == 5
                searches += 1

    searching = asyncio.create_task(search())
    said = await migrated(filled, vector_index="ivfflat")
    assert [line.split(" ")[0] for line in said] == ["CREATE", "DROP"]
    assert await indexes(filled) == {SECOND: ("ivfflat", {"lists": 10}, True)}
    assert await migrated(filled, vector_index="ivfflat") == []
    await migrated(filled, vector_index_hnsw_m=24, vector_index_hnsw_ef_construction=96)
    assert await indexes(filled) == {FIRST: ("hnsw", {"m": 24, "ef_construction": 96}, True)}
    assert not searching.done()
    searching.cancel()
    assert searches > 10


async def test_what_an_interrupted_build_left_is_made_anew(filled: Settings) -> None:
    connection = await asyncpg.connect(filled.database_dsn)
    try:
        await connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", FIRST)
    finally:
        await connection.close()
    said = await migrated(filled)
    assert [line.split(" ")[0] for line in said] == ["DROP", "CREATE"]
    assert await indexes(filled) == {FIRST: ("hnsw", {"m": 16, "ef_construction": 64}, True)}


async def test_too_few_passages_have_no_lists(servers: Servers, empty_database: str) -> None:
    settings = servers.settings(empty_database, VECTOR_INDEX="ivfflat")
    said = await migrated(settings)
    assert said == [f"DROP INDEX CONCURRENTLY IF EXISTS {FIRST} (0 passages)"]
    assert await indexes(settings) == {}


async def test_parameters_that_pgvector_refuses_are_told(servers: Servers, empty_database: str) -> None:
    settings = servers.settings(empty_database, VECTOR_INDEX_HNSW_M="50", VECTOR_INDEX_HNSW_EF_CONSTRUCTION="60")
    with pytest.raises(ConfigurationError, match="ef_construction must be greater than or equal to 2"):
        await migrated(settings)


@pytest.mark.parametrize(("method", "search"), [("hnsw", {"hnsw_ef_search": 90}), ("ivfflat", {"ivfflat_probes": 9})])
async def test_an_index_finds_nearly_what_an_exact_scan_finds(
    filled: Settings, method: str, search: dict[str, int]
) -> None:
    await migrated(filled, vector_index=method)
    settings = filled.model_copy(update=search)
    questions = vectors()[::97]
    statement = "SELECT id FROM document_embeddings ORDER BY embedding <=> $1 LIMIT 5"
    async with db.open_pool(settings) as pool, db.connection(pool) as connection:
        await connection.execute("SET enable_seqscan = off")
        plan_text = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", questions[0]))
        assert "idx_document_embeddings_vector" in plan_text
        names = {"hnsw_ef_search": "hnsw.ef_search", "ivfflat_probes": "ivfflat.probes"}
        for setting, value in search.items():
            assert await connection.fetchval("SELECT current_setting($1)", names[setting]) == str(value)
        found = [{row["id"] for row in await connection.fetch(statement, question)} for question in questions]
        await connection.execute("SET enable_seqscan = on; SET enable_indexscan = off")
        exact = [{row["id"] for row in await connection.fetch(statement, question)} for question in questions]
    recall = sum(len(a & b) for a, b in zip(found, exact, strict=True)) / (5 * len(questions))
    assert recall >= RECALL
