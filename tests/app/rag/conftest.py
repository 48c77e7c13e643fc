"""The seeded knowledge base, the packaged model, and a model server of the test's making."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from tests.app.conftest import Servers
from tests.app.knowledge import seeded_pool
from tests.app.openai_stub import OpenAIStub, running_stub

from genai_app import db
from genai_app.rag.embedding import PackagedEmbedder


@pytest.fixture(scope="session")
async def seeded(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    """Shared: read only."""
    async with seeded_pool(servers) as pool:
        yield pool


@pytest.fixture
async def pool(servers: Servers, database: str) -> AsyncIterator[asyncpg.Pool]:
    """On the test's own database, which holds the seed documents."""
    async with db.open_pool(servers.settings(database)) as own:
        yield own


@pytest.fixture(scope="session")
def embedder() -> PackagedEmbedder:
    """The packaged model, loaded once."""
    return PackagedEmbedder(768)


@pytest.fixture
async def model_server() -> AsyncIterator[OpenAIStub]:
    """A server that answers well until its script says otherwise."""
    async with running_stub() as stub:
        yield stub


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """The client of one process."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client
