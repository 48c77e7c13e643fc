"""The exact cache of answers: which key a question has, and who keeps the answer under it."""

import hashlib
import re
import unicodedata
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Final, Protocol

from redis.asyncio import Redis

from genai_app.breaker import Breaker

PREFIX: Final = "genai:response:"


@dataclass(frozen=True)
class Scope:
    """Everything beside the question that shapes an answer: only within one scope may an answer be given again.

    `build` stands for the code and its tables: agent and language follow from the question by them. There is no
    customer: a question on somebody's behalf, and an answer from somebody's records, is never kept.
    """

    build: str
    model: str
    prompts: str
    knowledge_base: str

    @cached_property
    def digest(self) -> str:
        """Names the scope: 16 hexadecimal digits."""
        return hashlib.sha256("\x1f".join(astuple(self)).encode()).hexdigest()[:16]


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


def answer_key(question: str, scope: Scope) -> str:
    """The key of a question without history: equal for the same words in the same scope."""
    digest = hashlib.sha256(f"{scope.digest}\x1f{normalised(question)}".encode())
    return PREFIX + digest.hexdigest()[:32]


def normalised(question: str) -> str:
    """Equal for questions that differ in case, spacing, accent encoding or final punctuation only; in any language."""
    text = unicodedata.normalize("NFKC", question).casefold()
    return re.sub(r"\s+", " ", text).strip().rstrip("?!. ")
