"""Child servers: started apart from our terminal, stopped in order, and found again when we were killed."""

import contextlib
import importlib.util
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from genai_app.errors import ConfigurationError
from genai_app.local.state import Account

START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02


def package_folder(name: str) -> Path:
    """Where an installed package is; found, not imported: importing these two makes folders and adds accounts."""
    specification = importlib.util.find_spec(name)
    if specification is None or specification.origin is None:
        raise ConfigurationError(f"the package {name} is not installed completely: reinstall it")
    return Path(specification.origin).parent


@contextmanager
def running(
    command: list[str],
    *,
    folder: Path,
    log: Path,
    account: Account | None,
    ready: Callable[[], bool],
    stop: signal.Signals,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` in `folder` until the block ends; enter the block when `ready` says so.

    It gets its own session, so a Ctrl-C in our terminal reaches us alone and we stop it when nobody uses it any more.
    Raises ConfigurationError with the end of its log when it does not start.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    try:
        _wait_until(ready, process, log)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_once(command: list[str], *, folder: Path, log: Path, account: Account | None) -> None:
    """Run `command` to its end. Raises ConfigurationError with the end of its log when it fails."""
    with log.open("ab") as output:
        finished = subprocess.run(
            command,
            cwd=folder,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
    if finished.returncode:
        raise _failed(command, finished.returncode, log)


def end_leftovers(names: frozenset[str], folders: tuple[Path, ...]) -> int:
    """End servers called one of `names` that work in one of `folders`: those of a start that was killed.

    Only call it while holding the folder's lock. Returns how many there were.
    """
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        place = process.info["cwd"]
        if process.info["name"] in names and place and Path(place) in folders:
            found.append(process)
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)  # PostgreSQL: fast shutdown; Valkey: shutdown
    _, alive = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
    return len(found)


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        status = process.poll()
        if status is not None:
            raise _failed([str(process.args)], status, log)
        if time.monotonic() > deadline:
            raise ConfigurationError(f"a local server is not ready after {START_SECONDS:.0f} seconds: see {log}")
        time.sleep(POLL_SECONDS)


def _failed(command: list[str], status: int, log: Path) -> ConfigurationError:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    last = lines[-1] if lines else "nothing was logged"
    return ConfigurationError(f"{Path(command[0]).name} ended with status {status}: {last} (more in {log})")
