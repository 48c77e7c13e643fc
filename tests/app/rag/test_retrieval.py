"""The right document is found in both languages, by meaning and by words, whatever people type."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.app.openai_stub import OpenAIStub, Reply

from genai_app.db import connection
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.metrics import Metrics
from genai_app.rag.embedding import ApiEmbedder, PackagedEmbedder
from genai_app.rag.repository import StoredPassage
from genai_app.rag.retrieval import Lookup, Retriever, text_query

pytestmark = pytest.mark.service

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("answerable.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


@pytest.fixture
def retriever(seeded: asyncpg.Pool, embedder: PackagedEmbedder, metrics: Metrics) -> Retriever:
    return Retriever(seeded, embedder, metrics)


async def look(retriever: Retriever, text: str, **options: Any) -> tuple[StoredPassage, ...]:
    return await retriever.retrieve(Lookup(text, "specs", **{"top_k": 5, **options}))


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: str(asked["question"]))
async def test_the_document_that_answers_is_among_the_first_three(
    asked: Mapping[str, Any], retriever: Retriever
) -> None:
    found = await look(retriever, asked["question"], top_k=3)
    assert {passage.source for passage in found} & set(asked["sources"])


@pytest.mark.parametrize("language", ["en", "pt"])
async def test_the_mean_reciprocal_rank_is_at_least_nine_tenths(language: str, retriever: Retriever) -> None:
    ranks = []
    for asked in QUESTIONS:
        if asked["language"] == language:
            sources = [passage.source for passage in await look(retriever, asked["question"], top_k=10)]
            ranks.append(min(sources.index(source) + 1 for source in asked["sources"] if source in sources))
    assert len(ranks) >= 20
    assert sum(1 / rank for rank in ranks) / len(ranks) >= 0.9


async def test_a_rare_word_is_found_by_full_text(retriever: Retriever) -> None:
    found = await look(retriever, "Dexron")
    assert "Dexron" in found[0].text


async def test_a_document_type_can_be_preferred(retriever: Retriever) -> None:
    found = await look(retriever, "brake fluid", weights={"troubleshoot": 2.0})
    assert found[0].document_type == "troubleshoot"


async def test_passages_below_the_least_score_are_left_out(retriever: Retriever) -> None:
    assert await look(retriever, "brake fluid", min_score=0.999) == ()
    assert all(passage.similarity >= 0.8 for passage in await look(retriever, "brake fluid", min_score=0.8))


@pytest.mark.parametrize("top_k", [1, 3, 20])
async def test_no_more_passages_than_asked_for(top_k: int, retriever: Retriever) -> None:
    assert len(await look(retriever, "engine", top_k=top_k)) == top_k


async def test_vectors_of_another_model_are_never_compared(
    seeded: asyncpg.Pool, model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    other = ApiEmbedder(OpenAIServer(http, model_server.base_url, "", 5), "some/model", 768)
    assert await look(Retriever(seeded, other, metrics), "engine oil") == ()


async def test_without_vectors_the_words_still_find(
    pool: asyncpg.Pool, model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    async with connection(pool) as database:
        await database.execute(
            "UPDATE document_embeddings SET embedding_provider = 'api', embedding_model = 'some/model'"
        )
    model_server.script = [Reply(status=401)]
    away = ApiEmbedder(OpenAIServer(http, model_server.base_url, "", 5), "some/model", 768)
    found = await look(Retriever(pool, away, metrics), "Quando devo trocar a correia dentada?")
    assert found[0].source == "maintenance_guide_genautox1.md"
    assert found[0].similarity == 0
    assert 'dependency_down_total{dependency="embedding",policy="full-text"} 1.0' in metrics.render().decode()


async def test_a_retrieval_is_measured(retriever: Retriever, metrics: Metrics) -> None:
    await look(retriever, "engine oil", weights={"spec": 5.0}, top_k=1)
    rendered = metrics.render().decode()
    assert 'rag_documents_retrieved_total{agent="specs",document_type="spec"} 1.0' in rendered
    assert 'rag_search_latency_ms_count{agent="specs"} 1.0' in rendered
    assert 'rag_similarity_score_count{agent="specs",document_type="spec"} 1.0' in rendered


@pytest.mark.parametrize(
    "text", ["", "?", "!!! & | <-> ' \\ :*", "a/c", "the of and", "'; DROP TABLE x; --", "🚗" * 50]
)
async def test_whatever_is_typed_the_search_answers(text: str, retriever: Retriever) -> None:
    assert len(await look(retriever, text)) == 5


@given(text=st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
async def test_any_text_makes_a_query_that_postgresql_accepts(text: str, seeded: asyncpg.Pool) -> None:
    async with connection(seeded) as database:
        await database.fetchval("SELECT to_tsquery('english', $1)", text_query(text))


def test_the_query_looks_for_any_word_and_for_phrases_as_phrases() -> None:
    assert text_query("Quando devo trocar a correia dentada?").endswith("(timing <-> belt) | (cambelt)")
