"""A model server of the test's making, and the pooled client that talks to it."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.app.openai_stub import OpenAIStub, running_stub


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
