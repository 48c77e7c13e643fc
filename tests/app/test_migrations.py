"""The schema: from nothing to this build's, once, by however many at the same time."""

import asyncio

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from tests.app.conftest import Api, Servers, running_api

from genai_app.errors import ConfigurationError, DatabaseDown
from genai_app.migrations import HEAD, schema_is_current
from genai_app.migrations.run import alembic_configuration, migrate

pytestmark = pytest.mark.service

TABLES = {
    "users": {"id", "email", "name", "password_hash", "is_active", "is_admin", "created_at", "updated_at"},
    "customers": {"id", "name", "email", "phone", "created_at", "updated_at"},
    "vehicles": {
        "id", "customer_id", "brand", "model", "year", "vin", "license_plate", "created_at", "updated_at",
    },
    "service_history": {
        "id", "vehicle_id", "service_type", "description", "service_date", "mileage", "cost", "status", "created_at",
    },
    "appointments": {
        "id", "customer_id", "vehicle_id", "service_type", "scheduled_date", "notes", "status", "created_at",
        "updated_at",
    },
    "document_embeddings": {"id", "content", "metadata", "embedding", "source", "document_type", "created_at"},
    "conversations": {"id", "session_id", "customer_id", "metadata", "created_at", "updated_at"},
}  # fmt: skip
"""The names that existing scripts know."""


async def migrated(servers: Servers, database: str, **overrides: str) -> list[str]:
    """Migrate; gives what was reported."""
    lines: list[str] = []
    await migrate(servers.settings(database, **overrides), wait_seconds=5, report=lines.append)
    return lines


def test_the_build_knows_its_newest_revision_without_alembic() -> None:
    revisions = ScriptDirectory.from_config(alembic_configuration())
    assert revisions.get_heads() == [HEAD]
    names = [revision.revision for revision in revisions.walk_revisions()]
    assert names == sorted(names, reverse=True)
    assert {len(name) for name in names} == {4}


async def test_an_empty_database_gets_the_whole_schema(servers: Servers, empty_database: str) -> None:
    assert await migrated(servers, empty_database) == [f"the schema went from empty to revision {HEAD}"]
    assert await migrated(servers, empty_database) == [f"the schema is at revision {HEAD}: nothing to do"]
    connection = await asyncpg.connect(servers.settings(empty_database).database_dsn)
    try:
        assert await schema_is_current(connection)
        rows = await connection.fetch("SELECT table_name, column_name, data_type FROM information_schema.columns")
        for table, columns in TABLES.items():
            assert columns <= {row["column_name"] for row in rows if row["table_name"] == table}
        ours = [row for row in rows if row["table_name"] in {*TABLES, "messages", "auth_sessions"}]
        assert not [row for row in ours if row["data_type"] == "timestamp without time zone"]
        unindexed = await connection.fetch(UNINDEXED_FOREIGN_KEYS)
        assert [tuple(row) for row in unindexed] == []
    finally:
        await connection.close()


UNINDEXED_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, attname FROM pg_constraint
JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])
"""


async def test_many_at_once_are_safe(servers: Servers, empty_database: str) -> None:
    reports = await asyncio.gather(*(migrated(servers, empty_database) for _ in range(4)))
    assert sorted(line for [line] in reports) == sorted(
        [f"the schema went from empty to revision {HEAD}"] + [f"the schema is at revision {HEAD}: nothing to do"] * 3
    )


async def test_vectors_get_the_length_of_the_settings_and_keep_it(servers: Servers, empty_database: str) -> None:
    await migrated(servers, empty_database, EMBEDDING_DIMENSION="384")
    with pytest.raises(ConfigurationError, match=r"stores vectors of length 384: set EMBEDDING_DIMENSION=384"):
        await migrated(servers, empty_database, EMBEDDING_DIMENSION="768")


async def test_a_database_that_does_not_come_up_is_waited_for_and_reported(servers: Servers) -> None:
    lines: list[str] = []
    settings = servers.settings("any", POSTGRES_HOST="/nowhere")
    with pytest.raises(DatabaseDown):
        await migrate(settings, wait_seconds=0.5, report=lines.append)
    assert lines[0].startswith("waiting for the database")


async def test_readiness_follows_the_schema(servers: Servers, empty_database: str) -> None:
    async with running_api(servers.settings(empty_database)) as api:
        ready = await api.client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "schema_behind")
        assert "genai-auto migrate" in ready.json()["detail"]
        await migrated(servers, empty_database)
        assert (await api.client.get("/readyz")).status_code == 200
        assert (await api.chat(await api.register())).status_code == 200


@pytest.mark.parametrize(("revision", "status"), [("0000", 503), (HEAD, 200), ("9999", 200)])
async def test_a_newer_schema_is_no_reason_to_stop(own_api: Api, revision: str, status: int) -> None:
    await own_api.sql("UPDATE alembic_version SET version_num = $1", revision)
    assert (await own_api.client.get("/readyz")).status_code == status
