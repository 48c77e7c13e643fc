"""Agents on the seeded database: offline, and with a model server of the test's making."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from tests.app.conftest import Servers
from tests.app.knowledge import seeded_pool
from tests.app.openai_stub import OpenAIStub, running_stub

from genai_app.agents.answering import Agents, build_agents
from genai_app.metrics import Metrics
from genai_app.rag.embedding import PackagedEmbedder
from genai_app.settings import Settings


@pytest.fixture(scope="session")
async def seeded(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    """Shared: read only."""
    async with seeded_pool(servers) as pool:
        yield pool


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """The client of one process."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def embedder() -> PackagedEmbedder:
    """The packaged model, loaded once."""
    return PackagedEmbedder(768)


@pytest.fixture(scope="session")
async def offline(seeded: asyncpg.Pool, http: httpx2.AsyncClient) -> Agents:
    """Agents without any model server."""
    agents = build_agents(settings=Settings.from_environment({}), pool=seeded, metrics=Metrics("test"), http=http)
    await agents.warm_up()
    return agents


@pytest.fixture
async def model_server() -> AsyncIterator[OpenAIStub]:
    """A server that answers well until its script says otherwise."""
    async with running_stub() as stub:
        yield stub


@pytest.fixture
def metrics() -> Metrics:
    """Of the agents with a model."""
    return Metrics("test")


@pytest.fixture
def online(seeded: asyncpg.Pool, http: httpx2.AsyncClient, model_server: OpenAIStub, metrics: Metrics) -> Agents:
    """Agents whose answers a model writes; vectors come from the package."""
    settings = Settings.from_environment(
        {
            "OPENROUTER_API_KEY": "key",
            "OPENROUTER_BASE_URL": model_server.base_url,
            "LLM_MODEL": "openai/gpt-4o-mini",  # one that does not think before it speaks
            "LLM_TIMEOUT_SECONDS": "5",
            "EMBEDDING_PROVIDER": "packaged",
        }
    )
    return build_agents(settings=settings, pool=seeded, metrics=metrics, http=http)
