"""Marks in Redis of logins that have ended, so that they are refused on the trip that every request makes anyway.

PostgreSQL says which logins stand, and is asked before anything is given: a mark that Redis lost, or never got, costs a
statement and lets nobody in.
"""

from collections.abc import Iterable
from uuid import UUID

from redis.asyncio import Redis

from genai_app.admission import ended_key
from genai_app.breaker import Breaker


class Revocations:
    """Announces ended logins to every replica; does nothing without Redis. `seconds` is an access token's life."""

    def __init__(self, redis: Redis | None, breaker: Breaker | None, *, seconds: int) -> None:
        self._redis = redis
        self._breaker = breaker
        self._seconds = seconds

    async def announce(self, sessions: Iterable[UUID]) -> None:
        """Mark these logins, in one trip; the marks go when the last access token of the logins has expired."""
        keys = [ended_key(session) for session in sessions]
        redis, breaker = self._redis, self._breaker
        if not keys or redis is None or breaker is None:
            return

        async def mark() -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.set(key, b"", ex=self._seconds)
                await pipeline.execute()

        await breaker.attempt("database-only", mark, None)
