"""Server processes under measurement: started on their core, watched for CPU and memory, ended by their id."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import psutil

from genai_bench.errors import BenchError
from genai_bench.plan import SERVER_CORE

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 40.0
_LAST_LINES: Final = 15


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """utime + stime of all its threads since its start; the kernel counts in hundredths."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        """Its memory, without what is swapped out."""
        return int(self.process.memory_info().rss)


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    port: int,
    folder: Path,
    ready: str,
    core: int = SERVER_CORE,
) -> Iterator[Server]:
    """Run `command` until the block ends; enter the block when the path `ready` answers with 200.

    It gets `variables` and no settings of ours. Raises BenchError with the end of its log when it does not start.
    """
    log = folder / f"{name.replace(' ', '-')}.log"
    taskset = shutil.which("taskset")
    if taskset is None:
        raise BenchError("The program taskset is missing: on Debian, `apt-get install util-linux`.")
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [taskset, "-c", str(core), *command],
            env={**kept, "PYTHONUNBUFFERED": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(name, f"{url}{ready}", process, log)
        yield Server(name, url, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def uvicorn(app: str, port: int, *, python: str = sys.executable, app_folder: Path | None = None) -> tuple[str, ...]:
    """The command of a plain FastAPI application as its users run it, without a line for each request."""
    where = ("--app-dir", str(app_folder)) if app_folder else ()
    return (python, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning", *where)


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(name: str, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx2.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
    last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
    raise BenchError(f"{name} did not start:\n{last}")
