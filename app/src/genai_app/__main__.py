"""The command line: serve, migrate, ingest, create-admin, change-account. Every command imports only what it runs."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from genai_app.auth.identity import Role
from genai_app.errors import ConfigurationError, GenAIError

if TYPE_CHECKING:
    from genai_app.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


class Evaluated(StrEnum):
    """What can be measured."""

    ROUTING = "routing"
    PRIVACY = "privacy"
    CACHE = "cache"
    UNANSWERABLE = "unanswerable"


WRONG_CONFIGURATION = 2
"""Exit status; 1 is any other failure that has a name."""


@app.command()
def serve(
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Bring its own PostgreSQL and Valkey; keep everything in --state.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [API_HOST; embedded: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API. [API_PORT; 8000]", min=1, max=65535)] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of an embedded instance. [the user's data folder]")] = None,
) -> None:
    """Run the API."""
    overrides = {"API_HOST": host or "", "API_PORT": str(port or "")}  # an empty one does not count
    with _ends_cleanly():
        if embedded:
            from genai_app.local.serve import serve_embedded

            serve_embedded(overrides, state, say=_say)
            return
        if state is not None:
            raise typer.BadParameter("it is the folder of an embedded instance: add --embedded", param_hint="--state")
        from genai_app.logs import configure_logging
        from genai_app.main import create_app
        from genai_app.serving import run
        from genai_app.serving import serve as serving

        settings = _settings(overrides)
        configure_logging(settings.lowest_level, mask_personal_data=settings.mask_pii)
        application = create_app(settings)
        run(serving(application, application.state.metrics, settings, application.state.connections.drain))


@app.command()
def migrate(
    wait: Annotated[float, typer.Option(help="Longest wait for the database, in seconds.", min=0)] = 60,
) -> None:
    """Bring the database to this build's schema. Safe to repeat, and to run on many machines at once."""
    from genai_app.migrations.run import migrate as run

    with _ends_cleanly():
        asyncio.run(run(_settings(), wait_seconds=wait, report=_say))


@app.command()
def check_database() -> None:
    """Whether the database can be reached with these settings and can hold the schema; the reason if not."""
    from genai_app.database_check import check_database as check

    with _ends_cleanly():
        asyncio.run(check(_settings(), _say))


@app.command()
def ingest(
    files: Annotated[list[Path] | None, typer.Argument(help="Markdown or text files.")] = None,
    seed: Annotated[bool, typer.Option("--seed", help="The sample documents about the GenAuto X1, too.")] = False,
    document_type: Annotated[str, typer.Option(help="Type of the given files.")] = "manual",
    wait: Annotated[float, typer.Option(help="Longest wait for the database and its schema, in seconds.", min=0)] = 0,
) -> None:
    """Put documents into the knowledge base. A file that is there already is replaced."""
    from genai_app.commands import ingest_files

    if not files and not seed:
        raise typer.BadParameter("give files to ingest, or --seed for the sample documents")
    with _ends_cleanly():
        asyncio.run(ingest_files(_settings(), files or [], document_type, seed=seed, wait_seconds=wait, report=_say))


@app.command()
def create_admin(
    email: Annotated[str, typer.Option(help="The administrator's e-mail address.")],
    name: Annotated[str, typer.Option(help="The administrator's name.")] = "Administrator",
    password_file: Annotated[
        Path | None,
        typer.Option(help="File with the password in its first line. [ask]", exists=True, dir_okay=False),
    ] = None,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Leave an administrator of this address as it is.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Longest wait for the database and its schema, in seconds.", min=0)] = 0,
) -> None:
    """Create an administrator: registering through the API never makes one."""
    from genai_app.commands import create_administrator

    if password_file is not None:
        password = password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with _ends_cleanly():
        asyncio.run(
            create_administrator(
                _settings(), email, password, name, if_missing=if_missing, wait_seconds=wait, report=_say
            )
        )


@app.command()
def change_account(
    email: Annotated[str, typer.Option(help="The account's e-mail address.")],
    role: Annotated[Role | None, typer.Option(help="Its new role. `agent` is a person of the service team.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="An inactive account is locked, and its logins end.")
    ] = None,
) -> None:
    """Change an account's role, lock it, or open it again. Takes effect at its next request."""
    from genai_app.commands import change_account as change

    if role is None and active is None:
        raise typer.BadParameter("say what to change: --role, --active or --inactive")
    with _ends_cleanly():
        asyncio.run(change(_settings(), email, role=role, is_active=active, report=_say))


@app.command()
def evaluate(
    subject: Annotated[Evaluated, typer.Argument(help="What to measure.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> None:
    """Measure the service on the labelled sets that come with it. Exit status 1: a goal is missed."""
    from genai_app.evaluation.command import evaluate as run

    with _ends_cleanly():
        met = asyncio.run(run(subject, _settings(), as_data=as_json))
    if not met:
        raise typer.Exit(1)


def main() -> None:
    """The console script."""
    app()


def _settings(overrides: dict[str, str] | None = None) -> "Settings":
    from genai_app.settings import Settings

    return Settings.from_environment(overrides=overrides or {})


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's output


@contextmanager
def _ends_cleanly() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C, so that everything that was started is stopped; named errors are one line."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except ConfigurationError as error:
        _fail(str(error), WRONG_CONFIGURATION)
    except GenAIError as error:
        _fail(str(error), 1)
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _fail(line: str, status: int) -> NoReturn:
    print(f"genai-auto: {line}", file=sys.stderr)  # noqa: T201 - the command's error output
    raise typer.Exit(status)


if __name__ == "__main__":
    main()
