"""Documents are replaced whole, unchanged ones are left alone, and every change moves the version."""

import asyncio

import asyncpg
import httpx2
import pytest
from tests.app.openai_stub import OpenAIStub, Reply

from genai_app.db import connection
from genai_app.errors import Invalid, ModelDown
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.rag.embedding import ApiEmbedder, PackagedEmbedder
from genai_app.rag.ingestion import SEED_TYPES, Document, IngestReport, ingest_documents, seed_documents
from genai_app.rag.repository import knowledge_base_version

pytestmark = pytest.mark.service

NOTE = Document("note.md", "# Note\n\n## Oil\nThe oil is gold.\n\n## Paint\nThe paint is red.\n")


async def version(pool: asyncpg.Pool) -> str:
    async with connection(pool) as database:
        return await knowledge_base_version(database)


async def passages(pool: asyncpg.Pool, source: str) -> list[tuple[str, str]]:
    async with connection(pool) as database:
        rows = await database.fetch(
            "SELECT heading, content FROM document_embeddings WHERE source = $1 ORDER BY position", source
        )
    return [(row["heading"], row["content"]) for row in rows]


async def test_a_second_run_finds_nothing_to_do(pool: asyncpg.Pool, embedder: PackagedEmbedder) -> None:
    before = await version(pool)
    report = await ingest_documents(pool, embedder, seed_documents())
    assert report == IngestReport(new=(), replaced=(), unchanged=tuple(SEED_TYPES), passages=0)
    assert await version(pool) == before


async def test_a_new_document_is_stored_with_its_headings(pool: asyncpg.Pool, embedder: PackagedEmbedder) -> None:
    before = await version(pool)
    report = await ingest_documents(pool, embedder, [NOTE])
    assert report == IngestReport(new=("note.md",), replaced=(), unchanged=(), passages=2)
    assert await passages(pool, "note.md") == [
        ("Note > Oil", "The oil is gold."),
        ("Note > Paint", "The paint is red."),
    ]
    assert await version(pool) != before


@pytest.mark.parametrize(
    "changed",
    [
        Document("note.md", NOTE.text.replace("gold", "black")),
        Document("note.md", NOTE.text.replace("## Oil", "## Engine oil")),
        Document("note.md", NOTE.text, "faq"),
        Document("note.md", "Only this is left."),
    ],
    ids=["text", "heading", "type", "shorter"],
)
async def test_a_changed_document_replaces_all_of_the_old_one(
    changed: Document, pool: asyncpg.Pool, embedder: PackagedEmbedder
) -> None:
    await ingest_documents(pool, embedder, [NOTE])
    before = await version(pool)
    report = await ingest_documents(pool, embedder, [changed])
    assert report.replaced == ("note.md",)
    assert len(await passages(pool, "note.md")) == report.passages
    assert await version(pool) != before


async def test_another_embedding_model_replaces_the_vectors(
    pool: asyncpg.Pool, embedder: PackagedEmbedder, model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    await ingest_documents(pool, embedder, [NOTE])
    other = ApiEmbedder(OpenAIServer(http, model_server.base_url, "", 5), "some/model", 768)
    assert (await ingest_documents(pool, other, [NOTE])).replaced == ("note.md",)
    assert (await ingest_documents(pool, other, [NOTE])).unchanged == ("note.md",)


async def test_an_embedder_that_fails_leaves_the_old_document(
    pool: asyncpg.Pool, embedder: PackagedEmbedder, model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    await ingest_documents(pool, embedder, [NOTE])
    model_server.script = [Reply(status=401)]
    other = ApiEmbedder(OpenAIServer(http, model_server.base_url, "", 5), "some/model", 768)
    with pytest.raises(ModelDown):
        await ingest_documents(pool, other, [Document("note.md", "something new")])
    assert len(await passages(pool, "note.md")) == 2


async def test_two_writers_of_one_source_leave_one_whole_document(
    pool: asyncpg.Pool, embedder: PackagedEmbedder
) -> None:
    texts = [f"# Note\n\n## Part\nVersion {number}.\n\n## Other\nAlso {number}." for number in range(4)]
    await asyncio.gather(*(ingest_documents(pool, embedder, [Document("note.md", text)]) for text in texts))
    [(_, first), (_, second)] = await passages(pool, "note.md")
    assert first.removeprefix("Version ") == second.removeprefix("Also ")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (Document("empty.md", "# Title only"), "/text"),
        (Document("", "text"), "/source"),
        (Document("x" * 256, "text"), "/source"),
        (Document("a.md", "text", "x" * 101), "/document_type"),
    ],
)
async def test_an_impossible_document_is_refused_before_anything_is_stored(
    document: Document, field: str, pool: asyncpg.Pool, embedder: PackagedEmbedder
) -> None:
    before = await version(pool)
    with pytest.raises(Invalid) as caught:
        await ingest_documents(pool, embedder, [NOTE, document])
    assert caught.value.field == field
    assert await version(pool) == before


async def test_a_null_character_does_not_stop_a_document(pool: asyncpg.Pool, embedder: PackagedEmbedder) -> None:
    await ingest_documents(pool, embedder, [Document("null.txt", "a\0b")])
    assert await passages(pool, "null.txt") == [("", "ab")]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM document_embeddings WHERE source = 'troubleshooting_guide.md'",
        "UPDATE document_embeddings SET document_type = 'other'",
        "TRUNCATE document_embeddings",
    ],
)
async def test_plain_sql_moves_the_version_too(statement: str, pool: asyncpg.Pool) -> None:
    before = await version(pool)
    async with connection(pool) as database:
        await database.execute(statement)
    assert await version(pool) != before
