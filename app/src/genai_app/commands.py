"""What the commands beside `serve` and `migrate` do, each with its own pool that is closed at the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from pydantic import TypeAdapter, ValidationError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from genai_app import db
from genai_app.auth.identity import Role
from genai_app.auth.repository import find_account
from genai_app.auth.schemas import Email, NewPassword
from genai_app.auth.service import build_accounts
from genai_app.errors import ConfigurationError, DatabaseDown
from genai_app.migrations import schema_is_current
from genai_app.migrations.vector_index import bring_about_alone
from genai_app.rag.embedding import build_embedder
from genai_app.rag.ingestion import Document, ingest_documents, seed_documents
from genai_app.settings import Settings

Report = Callable[[str], None]


async def create_administrator(
    settings: Settings,
    email: str,
    password: str,
    name: str,
    *,
    report: Report,
    if_missing: bool = False,
    wait_seconds: float = 0,
) -> None:
    """Raises ConfigurationError for an impossible address or password, Conflict when the address is taken.

    if_missing: an administrator of that address is left as it is. Somebody else's account is still a Conflict: it is
    not made an administrator, because whoever registered it knows its password.
    """
    _check("--email", Email, email)
    _check("the password", NewPassword, password)
    async with _current_database(settings, wait_seconds) as pool:
        if if_missing and await _is_administrator(pool, email):
            report(f"{email.lower()} is an administrator already")
            return
        account = await build_accounts(settings, pool).create_administrator(email=email, password=password, name=name)
    report(f"{account.email} is an administrator")


async def _is_administrator(pool: asyncpg.Pool, email: str) -> bool:
    async with db.connection(pool) as connection:
        account = await find_account(connection, email.lower())
    return account is not None and account.role is Role.ADMIN


async def change_account(
    settings: Settings, email: str, *, role: Role | None, is_active: bool | None, report: Report
) -> None:
    """Raises NotFound when no account has the address."""
    async with _current_database(settings) as pool:
        account = await build_accounts(settings, pool).change(email, role=role, is_active=is_active)
    report(f"{account.email} has the role {account.role} and is {'active' if account.is_active else 'inactive'}")


async def ingest_files(
    settings: Settings, files: list[Path], document_type: str, *, seed: bool, wait_seconds: float, report: Report
) -> None:
    """Store `files` and, with `seed`, the sample documents. Raises ConfigurationError for a file that is no text."""
    documents = (*(seed_documents() if seed else ()), *(_document(path, document_type) for path in files))
    async with _current_database(settings, wait_seconds) as pool, httpx2.AsyncClient() as http:
        result = await ingest_documents(pool, build_embedder(settings, http), documents)
    if result.new or result.replaced:
        await bring_about_alone(settings, report)
    report(
        f"{len(result.new)} new, {len(result.replaced)} replaced, {len(result.unchanged)} unchanged documents; "
        f"{result.passages} passages written"
    )


@asynccontextmanager
async def _current_database(settings: Settings, wait_seconds: float = 0) -> AsyncIterator[asyncpg.Pool]:
    """A pool on a database with this build's schema, which a migration elsewhere may still be writing."""
    async with db.open_pool(settings) as pool:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((DatabaseDown, ConfigurationError)),
            stop=stop_after_delay(wait_seconds),
            wait=wait_exponential(multiplier=0.2, max=2),
            reraise=True,
        ):
            with attempt:
                await _require_schema(pool)
        yield pool


async def _require_schema(pool: asyncpg.Pool) -> None:
    async with db.connection(pool) as connection:
        if not await schema_is_current(connection):
            raise ConfigurationError("the database's schema is older than this build: run `genai-auto migrate`")


def _document(path: Path, document_type: str) -> Document:
    try:
        return Document(path.name, path.read_text(encoding="utf-8"), document_type)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text: convert it, or give Markdown or text files") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error


def _check(what: str, rule: Any, value: str) -> None:
    try:
        TypeAdapter(rule).validate_python(value)
    except ValidationError as error:
        raise ConfigurationError(f"{what}: {error.errors(include_url=False, include_input=False)[0]['msg']}") from None
