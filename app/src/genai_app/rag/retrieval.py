"""Finding the passages that a question needs: vectors for the meaning, full text for the words, ranks fused."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
import structlog

from genai_app.db import connection
from genai_app.errors import ConfigurationError, ModelDown, Overloaded
from genai_app.llm.vocabulary import concepts, search_terms, things
from genai_app.metrics import Metrics
from genai_app.rag import repository
from genai_app.rag.embedding import Embedder
from genai_app.rag.precomputed import Vector
from genai_app.rag.repository import Search, StoredPassage
from genai_app.tracing import step
from genai_contract.metrics import DEPENDENCY_DOWN, RAG_DOCUMENTS, RAG_LATENCY, RAG_SIMILARITY

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Lookup:
    """What an agent looks for: `text` in the customer's language, at most `top_k` passages, `min_score` in cosine.

    `weights` prefers document types: factors on the fused rank.
    """

    text: str
    agent: str
    top_k: int
    min_score: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)


class Retriever:
    """Searches the knowledge base with one embedder; without its vectors it still finds by words."""

    def __init__(self, pool: asyncpg.Pool, embedder: Embedder, metrics: Metrics) -> None:
        self._pool = pool
        self._embedder = embedder
        self._metrics = metrics

    async def retrieve(self, lookup: Lookup) -> tuple[StoredPassage, ...]:
        """The best passages, best first. Raises DatabaseDown."""
        with step("retrieve", "retriever", query=lookup.text, agent=lookup.agent) as run:
            found = await self._retrieve(lookup)
            run.gives(passages=[{"source": each.source, "heading": each.heading} for each in found])
        return found

    async def _retrieve(self, lookup: Lookup) -> tuple[StoredPassage, ...]:
        started = time.perf_counter()
        search = Search(
            vector=await self._vector(lookup.text),
            query=text_query(lookup.text),
            provider=self._embedder.provider,
            model=self._embedder.model,
            top_k=lookup.top_k,
            min_score=lookup.min_score,
            weights=lookup.weights,
        )
        async with connection(self._pool) as database:
            found = await repository.search(database, search)
        self._measure(lookup.agent, found, (time.perf_counter() - started) * 1000)
        return found

    async def _vector(self, text: str) -> Vector | None:
        try:
            return await self._embedder.embed_query(text)
        except (ModelDown, Overloaded, ConfigurationError) as error:
            self._metrics.count(DEPENDENCY_DOWN, dependency="embedding", policy="full-text")
            log.warning("embedding_failed_searching_by_words", reason=str(error))
            return None

    def _measure(self, agent: str, found: tuple[StoredPassage, ...], milliseconds: float) -> None:
        self._metrics.observe(RAG_LATENCY, milliseconds, agent=agent)
        for passage in found:
            kind = passage.document_type
            self._metrics.count(RAG_DOCUMENTS, agent=agent, document_type=kind)
            self._metrics.observe(RAG_SIMILARITY, passage.similarity, agent=agent, document_type=kind)


def text_query(text: str) -> str:
    """A question as to_tsquery's syntax: any of its words, a phrase as a phrase; empty when it has none.

    Actions count only when there is nothing else: half of a maintenance guide says "replace". The words are letters and
    digits only (see `vocabulary.words`), so nothing needs quoting.
    """
    asked = concepts(text)
    terms = (" <-> ".join(word.replace("/", " <-> ") for word in term) for term in search_terms(things(asked) or asked))
    return " | ".join(dict.fromkeys(f"({term})" for term in terms))
