"""The exact cache of answers: which key a question has, and who keeps the answer under it."""

import hashlib
import re
import unicodedata
from typing import Protocol

from redis.asyncio import Redis

from genai_app.breaker import Breaker

PREFIX = "genai:response:"


class Cache(Protocol):
    """Keeps an answer for a while; forgetting one is never an error."""

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`."""


class RedisCache:
    """Answers in Redis, each for `ttl` seconds. Reading is part of `Gate.admit`: one round trip does both."""

    def __init__(self, redis: Redis, breaker: Breaker, ttl: int) -> None:
        self._redis = redis
        self._breaker = breaker
        self._ttl = ttl

    async def put(self, key: str, value: bytes) -> None:
        """Keep it, if Redis answers."""
        await self._breaker.attempt("skip", lambda: self._redis.set(key, value, ex=self._ttl), None)


class NullCache:
    """No Redis, or CACHE_ENABLED=false."""

    async def put(self, key: str, value: bytes) -> None:
        """Keep nothing."""


def answer_key(question: str, *, model: str, prompts: str, knowledge_base: str) -> str:
    """The key of a question without history, by everything else that its answer depends on."""
    parts = (model, prompts, knowledge_base, normalised(question))
    digest = hashlib.sha256("\x1f".join(parts).encode())
    return PREFIX + digest.hexdigest()[:32]


def normalised(question: str) -> str:
    """Equal for questions that differ in case, spacing, accent encoding or final punctuation only; in any language."""
    text = unicodedata.normalize("NFKC", question).casefold()
    return re.sub(r"\s+", " ", text).strip().rstrip("?!. ")
