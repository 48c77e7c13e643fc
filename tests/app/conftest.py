"""One real PostgreSQL and one real Valkey for all tests; each test gets its own database and, on request, an API."""

import asyncio
import io
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from genai_app import db
from genai_app.local.services import local_services
from genai_app.local.state import State
from genai_app.logs import configure_logging
from genai_app.main import create_app
from genai_app.migrations.run import migrate
from genai_app.rag.embedding import build_embedder
from genai_app.rag.ingestion import ingest_documents, seed_documents
from genai_app.ratelimit import Limit
from genai_app.serving import ApiServer, api_configuration
from genai_app.settings import Settings

TEMPLATE = "migrated_and_seeded"
QUESTION = "Which engine oil does the GenAuto X1 take?"


@dataclass(frozen=True)
class Servers:
    """The shared servers: `variables` reach them."""

    state: State
    variables: dict[str, str]

    def settings(self, database: str, **overrides: str) -> Settings:
        """Settings of an app on `database`."""
        return Settings.from_environment({**self.variables, "POSTGRES_DB": database, **overrides})

    async def administer(self, *statements: str) -> None:
        """Run statements on the maintenance database."""
        connection = await asyncpg.connect(self.settings("postgres").database_dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@dataclass(frozen=True)
class Login:
    """A logged-in account and its headers."""

    id: str
    access: str
    refresh: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(frozen=True)
class Api:
    """A running API and a client of it."""

    app: FastAPI
    client: httpx2.AsyncClient
    settings: Settings

    async def register(self, name: str = "Ana") -> Login:
        """A new account."""
        email = f"{uuid4().hex[:12]}@example.com"
        reply = await self.client.post(
            "/api/v1/auth/register", json={"email": email, "password": "correct horse", "name": name}
        )
        assert reply.status_code == 201, reply.text
        return login_of(reply)

    async def chat(self, who: Login, message: str = QUESTION, **fields: Any) -> httpx2.Response:
        """One turn."""
        return await self.client.post("/api/v1/chat", json={"message": message, **fields}, headers=who.headers)

    async def sql(self, statement: str, *arguments: object) -> list[Any]:
        """Look into its database, or change it, from outside; gives rows as tuples."""
        outside = await asyncpg.connect(self.settings.database_dsn)
        try:
            return [tuple(row) for row in await outside.fetch(statement, *arguments)]
        finally:
            await outside.close()

    async def metrics(self) -> dict[str, float]:
        """Every sample, as `name{labels}`."""
        text = (await self.client.get("/api/v1/metrics")).text
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}


def login_of(reply: httpx2.Response) -> Login:
    """The account and tokens of a TokenResponse."""
    body = reply.json()
    return Login(body["user"]["id"], body["access_token"], body["refresh_token"])


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder that the servers' unprivileged account may enter: pytest's own are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="genai-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def servers() -> AsyncIterator[Servers]:
    """PostgreSQL and Valkey, with a template database that is migrated and holds the seed documents."""
    with fresh_folder() as folder, local_services(folder / "state") as (state, variables):
        shared = Servers(state, variables)
        await shared.administer(
            "ALTER SYSTEM SET fsync = off",  # nobody pulls the plug here, and databases are made by the hundred
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
            f"CREATE DATABASE {TEMPLATE}",
        )
        settings = shared.settings(TEMPLATE)
        await migrate(settings, wait_seconds=10, report=lambda _: None)
        async with db.open_pool(settings) as pool, httpx2.AsyncClient() as http:
            await ingest_documents(pool, build_embedder(settings, http), seed_documents())
        yield shared


@pytest.fixture(scope="session", autouse=True)
def log_output() -> io.StringIO:
    """Where the process logs to: JSON lines, as in production."""
    output = io.StringIO()
    configure_logging("INFO", output)
    return output


@pytest.fixture
def logged(log_output: io.StringIO) -> Callable[[], list[dict[str, Any]]]:
    """A function that gives the log lines of this test so far."""
    begin = log_output.tell()

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in log_output.getvalue()[begin:].splitlines()]

    return lines


@asynccontextmanager
async def new_database(servers: Servers, template: str) -> AsyncIterator[str]:
    """The name of a database that is dropped at the end."""
    name = f"test_{uuid4().hex[:12]}"
    await servers.administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield name
    finally:
        await servers.administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(servers: Servers) -> AsyncIterator[str]:
    """The name of a database of this test's own, migrated and seeded."""
    async with new_database(servers, TEMPLATE) as name:
        yield name


@pytest.fixture
async def empty_database(servers: Servers) -> AsyncIterator[str]:
    """The name of an empty database of this test's own."""
    async with new_database(servers, "template0") as name:
        yield name


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    """A client of the shared Valkey, emptied before the test."""
    client: Redis = Redis.from_url(servers.variables["REDIS_URL"])
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def shared_api(servers: Servers) -> AsyncIterator[Api]:
    """One API for all tests that keep to their own accounts."""
    async with new_database(servers, TEMPLATE) as name, running_api(servers.settings(name)) as running:
        yield running


@pytest.fixture
async def api(shared_api: Api, redis: Redis) -> Api:
    """The shared API, with nothing in its cache and nobody counted."""
    _ = redis
    return shared_api


@pytest.fixture
async def own_api(servers: Servers, database: str, redis: Redis) -> AsyncIterator[Api]:
    """An API on this test's own database, for tests that change it or count in it."""
    _ = redis
    async with running_api(servers.settings(database)) as running:
        yield running


@asynccontextmanager
async def running_api(settings: Settings, *, send_buffer: int | None = None) -> AsyncIterator[Api]:
    """An API on a real loopback port, in this process; `send_buffer`: bytes that the kernel takes for each client."""
    app = create_app(settings)
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        if send_buffer is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = ApiServer(api_configuration(app), app.state.connections.drain)
        serving = asyncio.create_task(server._serve([listening]))
        await until(lambda: server.started or serving.done())
        if serving.done():
            serving.result()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            async with httpx2.AsyncClient(base_url=address, timeout=30, trust_env=False) as client:
                yield Api(app, client, settings)
        finally:
            server.should_exit = True
            await serving


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for a condition, looking every 10 ms."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions are about other processes and servers
            await asyncio.sleep(0.01)


def environment(**variables: str) -> dict[str, str]:
    """What a child process needs, and no settings of ours beyond `variables`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, **variables}


async def emptied(redis: Redis, limit: Limit, subject: str, seconds: float) -> None:
    """Empty a bucket so that its next request is due in `seconds`."""
    clock, micros = await redis.time()
    due = clock * 1_000_000 + micros + round((seconds + (limit.burst - 1) / limit.rate) * 1_000_000)
    await redis.set(f"genai:limit:{limit.scope}:{subject}", due)


class Proxy:
    """A Unix socket in front of a server's: passes on what it gets, or plays a server that is away or hangs."""

    def __init__(self, endpoint: Path, server: Path) -> None:
        self._endpoint = endpoint
        self._server = server
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hanging = False

    async def start(self) -> None:
        """Be there."""
        self._hanging = False
        self._listener = await asyncio.start_unix_server(self._accept, self._endpoint)

    async def hang(self) -> None:
        """Take connections, cut the present ones, answer nothing."""
        self._hanging = True
        await self._cut()

    async def stop(self) -> None:
        """Be away: cut everything, refuse new connections."""
        if self._listener is not None:
            self._listener.close()
            self._endpoint.unlink(missing_ok=True)
            self._listener = None
        await self._cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if self._hanging:
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self._server)
        self._writers.add(server_writer)
        for source, target in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.create_task(self._pump(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()

    async def _cut(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def proxied(server: Path) -> AsyncIterator[tuple[Proxy, Path]]:
    """A started proxy in front of the socket `server`, and the folder of its endpoint, which has the same name."""
    with fresh_folder() as folder:
        proxy = Proxy(folder / server.name, server)
        await proxy.start()
        try:
            yield proxy, folder
        finally:
            await proxy.stop()
