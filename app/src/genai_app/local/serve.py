"""`genai-auto serve --embedded`: from an empty folder to a service that answers, and back to nothing running."""

import secrets
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx2

from genai_app import db
from genai_app.auth.service import build_accounts
from genai_app.local.services import local_services
from genai_app.local.state import State, default_folder, private_json
from genai_app.logs import configure_logging
from genai_app.main import create_app
from genai_app.migrations import schema_is_current
from genai_app.rag.embedding import build_embedder
from genai_app.rag.ingestion import ingest_documents, seed_documents
from genai_app.serving import run, serve
from genai_app.settings import Settings

DATABASE_WAIT_SECONDS = 30
ADMINISTRATOR = "admin@example.com"
DEFAULTS = {"API_HOST": "127.0.0.1", "METRICS_PORT": "0", "LOG_LEVEL": "WARNING"}
"""What differs from a server's defaults: nobody else shall reach a laptop, and several may run beside each other."""

FOREIGN = ("DATABASE_URL", "REDIS_PASSWORD")
"""Variables that would lead away from the servers in the folder."""

Say = Callable[[str], None]


def serve_embedded(overrides: dict[str, str], folder: Path | None, *, say: Say) -> None:
    """Run until interrupted. Raises ConfigurationError."""
    folder = folder or default_folder()
    say(f"GenAI Auto keeps everything in {folder}")
    with local_services(folder) as (state, servers):
        given = {name: value for name, value in overrides.items() if value}
        settings = Settings.from_environment(defaults=DEFAULTS, overrides={**servers, **given}, ignoring=FOREIGN)
        run(_serve(state, settings, say))


async def _serve(state: State, settings: Settings, say: Say) -> None:
    async with db.open_pool(settings) as pool:
        await _ensure_schema(settings, pool, say)
        await _ensure_administrator(state, settings, pool)
        await _ensure_knowledge(settings, pool, say)
    configure_logging(settings.lowest_level, mask_personal_data=settings.mask_pii)
    app = create_app(settings)
    say(f"The API listens on http://{settings.api_host}:{settings.api_port} (documentation: /docs); Ctrl-C stops it")
    say(f"Log in at /api/v1/auth/login as {ADMINISTRATOR}; the password is in {state.administrator}")
    await serve(app, app.state.metrics, settings, app.state.connections.drain)


async def _ensure_schema(settings: Settings, pool: asyncpg.Pool, say: Say) -> None:
    async with db.connection(pool) as connection:
        if await schema_is_current(connection):
            return
    from genai_app.migrations.run import migrate  # Alembic and SQLAlchemy take longer to import than all else here

    await migrate(settings, wait_seconds=DATABASE_WAIT_SECONDS, report=say)
    await pool.expire_connections()  # those from before know nothing of the schema's types


async def _ensure_administrator(state: State, settings: Settings, pool: asyncpg.Pool) -> None:
    """The file first, then the account: whatever interrupts us, both agree in the end."""
    credentials = private_json(state.administrator, {"email": ADMINISTRATOR, "password": secrets.token_urlsafe(16)})
    accounts = build_accounts(settings, pool)
    if not await accounts.exists(credentials["email"]):
        await accounts.create_administrator(name="Administrator", **credentials)


async def _ensure_knowledge(settings: Settings, pool: asyncpg.Pool, say: Say) -> None:
    async with db.connection(pool) as connection:
        if await connection.fetchval("SELECT EXISTS (SELECT FROM document_embeddings)"):
            return
    async with httpx2.AsyncClient() as http:
        report = await ingest_documents(pool, build_embedder(settings, http), seed_documents())
    say(f"The knowledge base was empty: stored {report.passages} passages of {len(report.new)} documents")
