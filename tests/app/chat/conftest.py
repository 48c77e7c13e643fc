"""APIs whose answers a scripted model server writes."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, running_api
from tests.app.openai_stub import OpenAIStub, running_stub

from genai_app.settings import Settings


@pytest.fixture
async def model_server() -> AsyncIterator[OpenAIStub]:
    """A server that answers well until its script says otherwise."""
    async with running_stub() as stub:
        yield stub


@pytest.fixture
def online(servers: Servers, database: str, redis: Redis, model_server: OpenAIStub) -> Settings:
    """Settings of replicas on this test's own database, whose answers the model server writes."""
    _ = redis
    return servers.settings(
        database,
        OPENROUTER_API_KEY="key",
        OPENROUTER_BASE_URL=model_server.base_url,
        LLM_MODEL="stub-model",
        EMBEDDING_PROVIDER="packaged",
        CACHE_ENABLED="false",
    )


@pytest.fixture
async def replica(online: Settings) -> AsyncIterator[Api]:
    """One of them."""
    async with running_api(online) as api:
        yield api


@pytest.fixture
async def other_replica(online: Settings) -> AsyncIterator[Api]:
    """Another one of them."""
    async with running_api(online) as api:
        yield api
