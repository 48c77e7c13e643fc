"""The Redis client: 100 ms, no retries, and a breaker, because a cache must never cost more than a miss."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from redis.asyncio import ConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from genai_app.breaker import Breaker
from genai_app.metrics import Metrics
from genai_app.settings import Settings

ANSWER_SECONDS = 0.1


@asynccontextmanager
async def open_redis(settings: Settings, metrics: Metrics) -> AsyncIterator[tuple[Redis, Breaker] | tuple[None, None]]:
    """The client and its breaker, closed at the end of the block; (None, None) when REDIS_URL is empty."""
    if not settings.redis_url:
        yield None, None
        return
    redis: Redis = Redis.from_url(
        settings.redis_dsn,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # RESP2 needs no HELLO on a fresh connection
        driver_info=None,  # neither CLIENT SETINFO
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    share_tls_context(redis.connection_pool)
    breaker = Breaker(
        "redis", timeout=ANSWER_SECONDS, failures=(RedisError, OSError), probe=redis.ping, metrics=metrics
    )
    try:
        yield redis, breaker
    finally:
        await breaker.close()
        await redis.aclose()


class SharedContextConnection(SSLConnection):
    """A TLS connection that takes the context as it is instead of making its own."""

    def __init__(self, *, shared_context: SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = shared_context


def share_tls_context(pool: ConnectionPool) -> None:
    """One TLS context for all connections of a pool, made now; a pool without TLS stays as it is.

    redis-py 8 makes one for each connection, within the time for connecting: it reads the machine's authorities,
    which holds the event loop for 40 ms of the 100.
    """
    if issubclass(pool.connection_class, SSLConnection):
        first = pool.connection_class(**pool.connection_kwargs)
        pool.connection_kwargs["shared_context"] = first.ssl_context.get()
        pool.connection_class = SharedContextConnection
