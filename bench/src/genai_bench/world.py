"""What the servers under measurement lean on, all on the other core: PostgreSQL, Valkey, a model server, a user."""

import asyncio
import os
import resource
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from genai_app import db
from genai_app.local.services import local_services
from genai_app.migrations.run import migrate
from genai_app.rag.embedding import build_embedder
from genai_app.rag.ingestion import ingest_documents, seed_documents
from genai_app.settings import Settings
from genai_bench.errors import BenchError
from genai_bench.plan import LOAD_CORE, SERVER_CORE
from genai_bench.servers import Server, free_port, running, uvicorn

ROOT: Final = Path(__file__).parents[3]
STATE: Final = ROOT / ".state" / "bench"

Say = Callable[[str], None]

NO_LIMIT: Final = {"RATE_LIMIT_PER_SECOND": "1000000", "RATE_LIMIT_BURST": "1000000"}
"""Requests are counted as always; nobody is refused."""


@dataclass(frozen=True)
class World:
    """`variables` are the settings of our server; `folder` takes logs."""

    folder: Path
    variables: dict[str, str]
    models: Server

    @property
    def model_url(self) -> str:
        """The base URL that clients of OpenAI's format want."""
        return f"{self.models.url}/v1"

    def settings(self) -> Settings:
        """The same as our server's."""
        return Settings.from_environment(self.variables)

    def models_asked(self) -> int:
        """Calls of the model server since its start."""
        counts: dict[str, int] = httpx2.get(f"{self.models.url}/asked", trust_env=False).json()
        return sum(counts.values())

    @contextmanager
    def ours(self, name: str = "ours", *, module: str = "genai_app", **variables: str) -> Iterator[Server]:
        """Our server as production runs it, with request log lines, or another `module` that starts it."""
        port = free_port()
        arguments = ("serve",) if module == "genai_app" else ()
        settings = {**self.variables, "API_PORT": str(port), **variables}
        command = (sys.executable, "-m", module, *arguments)
        with running(name, command, settings, port=port, folder=self.folder, ready="/readyz") as server:
            yield server

    @contextmanager
    def peer(self, name: str, *, python: str = sys.executable, **variables: str) -> Iterator[Server]:
        """The application `peers/NAME.py` as its users run it."""
        port = free_port()
        command = uvicorn(f"{name}:app", port, python=python, app_folder=Path(__file__).parent / "peers")
        with running(name, command, variables, port=port, folder=self.folder, ready="/ready") as server:
            yield server


@contextmanager
def opened(say: Say) -> Iterator[World]:
    """Everything, on the load's core, with the sample documents; gone at the end. Raises BenchError."""
    _take_place()
    folder = Path(tempfile.mkdtemp(prefix="genai-bench-"))
    folder.chmod(0o711)
    try:
        with ExitStack() as stack:
            say("Starting PostgreSQL, Valkey and the model server …")
            _, servers = stack.enter_context(local_services(folder / "state"))
            port = free_port()
            command = uvicorn("genai_bench.model_server:app", port)
            models = stack.enter_context(
                running("models", command, {}, port=port, folder=folder, ready="/asked", core=LOAD_CORE)
            )
            variables = {
                **servers,
                **NO_LIMIT,
                "API_HOST": "127.0.0.1",
                "METRICS_PORT": "0",
                "JWT_SECRET_KEY": secrets.token_hex(32),
                "LLM_PROVIDER": "openai-compatible",
                "LLM_MODEL": "mock-model",
                "OPENROUTER_BASE_URL": f"{models.url}/v1",
                "OPENROUTER_API_KEY": "none",
                "CONFIDENCE_THRESHOLD": "0",
            }
            world = World(folder, variables, models)
            asyncio.run(_fill(world.settings()))
            yield world
    finally:
        shutil.rmtree(folder)


def register(server: Server) -> str:
    """The access token of a new account."""
    body = {"email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe(12), "name": "Ana"}
    reply = httpx2.post(f"{server.url}/api/v1/auth/register", json=body, trust_env=False, timeout=30)
    token: str = reply.raise_for_status().json()["access_token"]
    return token


def _take_place() -> None:
    """This process and all its children on the load's core, with as many open files as allowed."""
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise BenchError("A bench needs two cores, 0 and 1: one for what is measured, one for all the rest.")
    os.sched_setaffinity(0, {LOAD_CORE})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _fill(settings: Settings) -> None:
    await migrate(settings, wait_seconds=30, report=lambda _: None)
    async with db.open_pool(settings) as pool, httpx2.AsyncClient(trust_env=False) as http:
        await ingest_documents(pool, build_embedder(settings, http), seed_documents())
