"""The knowledge base in PostgreSQL: raw asyncpg, one statement for each question that is asked of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from genai_app.rag.precomputed import Vector
from genai_app.rag.splitting import Passage

CANDIDATES: Final = 20
"""Passages that each half of the hybrid search proposes."""
RRF_K: Final = 60
"""Reciprocal rank fusion: 1 / (60 + rank), the constant of the original paper."""


@dataclass(frozen=True)
class EmbeddedPassage:
    """A passage with its vector."""

    passage: Passage
    vector: Vector


@dataclass(frozen=True)
class StoredPassage:
    """A search hit: `similarity` is its cosine to the question (0 without a vector), `rank_score` its fused rank."""

    source: str
    document_type: str
    heading: str
    text: str
    similarity: float
    rank_score: float


@dataclass(frozen=True)
class Search:
    """What to look for: `vector` (None: full text only) and `query` in to_tsquery's syntax (empty: vector only).

    `weights` multiplies the fused rank of a document type; a type that is not named counts 1.
    """

    vector: Vector | None
    query: str
    provider: str
    model: str
    top_k: int
    min_score: float
    weights: Mapping[str, float]


_SEARCH = f"""
WITH near AS (
    SELECT id, row_number() OVER (ORDER BY distance) AS rank
    FROM (
        SELECT id, embedding <=> $1 AS distance FROM document_embeddings
        WHERE $1 IS NOT NULL AND embedding_provider = $3 AND embedding_model = $4
        ORDER BY embedding <=> $1 LIMIT {CANDIDATES}
    ) AS nearest
), worded AS (
    SELECT id, row_number() OVER (ORDER BY relevance DESC, id) AS rank
    FROM (
        SELECT id, ts_rank_cd('{{0.1, 0.2, 0.5, 1.0}}', lexemes, to_tsquery('english', $2), 1) AS relevance
        FROM document_embeddings
        WHERE $2 <> '' AND lexemes @@ to_tsquery('english', $2) AND embedding_provider = $3 AND embedding_model = $4
        ORDER BY relevance DESC, id LIMIT {CANDIDATES}
    ) AS relevant
), fused AS (
    SELECT id, coalesce(1.0 / ({RRF_K} + near.rank), 0) + coalesce(1.0 / ({RRF_K} + worded.rank), 0) AS rank_score
    FROM near FULL JOIN worded USING (id)
)
SELECT source, document_type, heading, content, similarity, rank_score
FROM (
    SELECT stored.source, stored.document_type, stored.heading, stored.content,
        coalesce(1 - (stored.embedding <=> $1), 0)::float8 AS similarity,
        (fused.rank_score * coalesce(weight.factor, 1))::float8 AS rank_score
    FROM fused
    JOIN document_embeddings AS stored USING (id)
    LEFT JOIN unnest($7::text[], $8::float8[]) AS weight (document_type, factor) USING (document_type)
) AS hits
WHERE similarity >= $6 OR $1 IS NULL
ORDER BY rank_score DESC, source, heading LIMIT $5
"""  # noqa: S608 - only the two constants above are put in


async def search(connection: asyncpg.Connection, wanted: Search) -> tuple[StoredPassage, ...]:
    """The best passages, best first: vector and full-text ranks fused, in one statement."""
    rows = await connection.fetch(
        _SEARCH,
        wanted.vector,
        wanted.query,
        wanted.provider,
        wanted.model,
        wanted.top_k,
        wanted.min_score,
        list(wanted.weights),
        list(wanted.weights.values()),
    )
    return tuple(
        StoredPassage(
            source=row["source"],
            document_type=row["document_type"],
            heading=row["heading"],
            text=row["content"],
            similarity=row["similarity"],
            rank_score=row["rank_score"],
        )
        for row in rows
    )


async def knowledge_base_version(connection: asyncpg.Connection) -> str:
    """A text that differs after any change of the knowledge base: one row by primary key, 36 characters."""
    return str(await connection.fetchval("SELECT version FROM knowledge_base"))


async def stored_fingerprints(connection: asyncpg.Connection, *, provider: str, model: str) -> dict[str, str]:
    """Source → `fingerprint` of what is stored; only sources that are wholly embedded by this provider and model."""
    rows = await connection.fetch(
        """
        SELECT source, min(document_type) AS document_type, array_agg(content_hash ORDER BY position) AS hashes
        FROM document_embeddings GROUP BY source
        HAVING bool_and(embedding_provider = $1 AND embedding_model = $2)
        """,
        provider,
        model,
    )
    return {row["source"]: fingerprint(row["document_type"], row["hashes"]) for row in rows}


async def stored_sources(connection: asyncpg.Connection) -> frozenset[str]:
    """The names of all sources."""
    return frozenset(row["source"] for row in await connection.fetch("SELECT DISTINCT source FROM document_embeddings"))


async def replace_source(
    connection: asyncpg.Connection,
    source: str,
    document_type: str,
    passages: Sequence[EmbeddedPassage],
    *,
    provider: str,
    model: str,
) -> None:
    """Put `passages` in the place of everything that `source` had; call it inside a transaction.

    Two writers of one source wait for each other, readers see the old passages or the new ones.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", source)
    await connection.execute("DELETE FROM document_embeddings WHERE source = $1", source)
    await connection.copy_records_to_table(
        "document_embeddings",
        columns=(
            "content",
            "embedding",
            "source",
            "document_type",
            "heading",
            "position",
            "content_hash",
            "embedding_provider",
            "embedding_model",
        ),
        records=[
            (
                embedded.passage.text,
                embedded.vector,
                source,
                document_type,
                embedded.passage.heading,
                position,
                content_hash(embedded.passage),
                provider,
                model,
            )
            for position, embedded in enumerate(passages)
        ],
    )


def content_hash(passage: Passage) -> str:
    """SHA-256 of what was embedded, in hex."""
    return hashlib.sha256(passage.embedded_text.encode()).hexdigest()


def fingerprint(document_type: str, hashes: Sequence[str]) -> str:
    """Equal for two versions of a source exactly when their type and all their passages are equal."""
    return hashlib.sha256("\n".join((document_type, *hashes)).encode()).hexdigest()
