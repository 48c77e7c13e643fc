"""The Redis client: 100 ms, no retries, and a breaker, because a cache must never cost more than a miss."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
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
    breaker = Breaker(
        "redis", timeout=ANSWER_SECONDS, failures=(RedisError, OSError), probe=redis.ping, metrics=metrics
    )
    try:
        yield redis, breaker
    finally:
        await breaker.close()
        await redis.aclose()
