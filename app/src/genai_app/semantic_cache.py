"""The semantic cache: finds the kept answer of a question that asks the same in other words.

Under a question's subject (`same_question`) lie the vectors and answer keys of the last questions of that subject. A
miss costs one round trip, and no vector when the subject is new; a hit costs one more, for the answer. No question is
stored in a form that can be read.
"""

import time
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
from redis.asyncio import Redis

from genai_app.breaker import Breaker
from genai_app.cache import PREFIX, Scope
from genai_app.errors import ConfigurationError, ModelDown, Overloaded
from genai_app.metrics import Metrics
from genai_app.rag.embedding import Embedder
from genai_app.rag.precomputed import Vector
from genai_app.same_question import subject
from genai_contract.metrics import CACHE_LATENCY, CACHE_OPERATIONS

BUCKETS: Final = "genai:questions:"
LARGEST_BUCKET: Final = 8
"""Wordings that are kept of one subject, the last ones. At most 12 KB travel for a look-up."""
_KEY_LENGTH: Final = len(PREFIX) + 32


class SemanticCache:
    """One per process. What `embedder` calls surely on topic (`scale.related`) is near enough, given equal subjects."""

    def __init__(self, redis: Redis, breaker: Breaker, embedder: Embedder, metrics: Metrics, *, ttl: int) -> None:
        self._redis = redis
        self._breaker = breaker
        self._embedder = embedder
        self._metrics = metrics
        self._ttl = ttl

    async def find(self, question: str, scope: Scope) -> bytes | None:
        """The kept answer of the nearest question of the same subject; None when there is none near enough."""
        started = time.perf_counter()
        found = await self._find(question, scope)
        operation = "miss" if found is None else "hit"
        self._metrics.count(CACHE_OPERATIONS, operation=operation, cache_type="semantic")
        elapsed = (time.perf_counter() - started) * 1000
        self._metrics.observe(CACHE_LATENCY, elapsed, operation=operation, cache_type="semantic")
        return found

    async def put(self, question: str, scope: Scope, key: str) -> None:
        """Let other wordings of `question` find the answer that is kept under `key`."""
        bucket = _bucket(question, scope)
        vector = await self._vector(question) if bucket else None
        if bucket and vector is not None:
            await self._breaker.attempt("skip", lambda: self._add(bucket, packed(key, vector)), None)

    async def _find(self, question: str, scope: Scope) -> bytes | None:
        bucket = _bucket(question, scope)
        if bucket is None:
            return None
        nothing: list[bytes] = []
        entries = await self._breaker.attempt("skip", lambda: self._entries(bucket), nothing)
        vector = await self._vector(question) if entries else None
        key = None if vector is None else nearest(vector, entries, self._embedder.scale.related)
        if key is None:
            return None
        return cast("bytes | None", await self._breaker.attempt("skip", lambda: self._redis.get(key), None))

    async def _entries(self, bucket: str) -> list[bytes]:
        return cast("list[bytes]", await self._redis.lrange(bucket, 0, LARGEST_BUCKET - 1))

    async def _add(self, bucket: str, entry: bytes) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.lrem(bucket, 0, entry)  # type: ignore[arg-type]  # redis-py says str and sends bytes as they are
            pipeline.lpush(bucket, entry)
            pipeline.ltrim(bucket, 0, LARGEST_BUCKET - 1)
            pipeline.expire(bucket, self._ttl)
            await pipeline.execute()

    async def _vector(self, question: str) -> Vector | None:
        try:
            return await self._embedder.embed_query(question)
        except (ModelDown, Overloaded, ConfigurationError):
            return None  # routing and retrieval, which come next, say and count it


def packed(key: str, vector: Vector) -> bytes:
    """An answer's key and a vector of length 1, in half precision, without the zeros at its end."""
    return key.encode() + np.trim_zeros(vector, "b").astype("<f2").tobytes()


def nearest(vector: Vector, entries: Sequence[bytes], least: float) -> str | None:
    """The answer's key of the entry with the greatest cosine, if that is at least `least`; pure."""
    best, best_key = least, None
    for entry in entries:
        key, halves = entry[:_KEY_LENGTH], entry[_KEY_LENGTH:]
        if len(halves) % 2 or not key.startswith(PREFIX.encode()):
            continue  # not ours
        kept = np.frombuffer(halves, dtype="<f2").astype(np.float32)[: vector.size]
        cosine = float(kept @ vector[: kept.size])
        if cosine >= best:
            best, best_key = cosine, key.decode()
    return best_key


def _bucket(question: str, scope: Scope) -> str | None:
    about = subject(question)
    return f"{BUCKETS}{scope.digest}:{about.digest}" if about else None
