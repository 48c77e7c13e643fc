"""The one folder that an embedded instance lives in: its layout, its owner, and the lock that keeps others out."""

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genai_app.errors import ConfigurationError

LONGEST_SOCKET_FOLDER = 80
"""Characters. The kernel allows 107 for a socket's path, `/.s.PGSQL.5432.lock` included."""

UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")
"""Who runs PostgreSQL when we are root, which it refuses; the first that exists."""


@dataclass(frozen=True)
class Account:
    """The system account that the embedded servers run as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class State:
    """Where things are; `account` is None when the servers run as ourselves."""

    folder: Path
    account: Account | None

    @property
    def database(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "postgres"

    @property
    def cache(self) -> Path:
        """Valkey's working directory."""
        return self.folder / "valkey"

    @property
    def sockets(self) -> Path:
        """Folder of the Unix sockets; elsewhere when the state folder's path is too long for one."""
        inside = self.folder / "run"
        if len(str(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"genai-auto-{digest}"

    @property
    def administrator(self) -> Path:
        """`{"email": …, "password": …}` of the first administrator, readable by its owner only."""
        return self.folder / "admin.json"


def default_folder() -> Path:
    """The user's data folder (XDG); for root the system's, since its home is closed to unprivileged accounts."""
    if os.geteuid() == 0:
        return Path("/var/lib/genai-auto")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "genai-auto"


@contextmanager
def locked_state(folder: Path) -> Iterator[State]:
    """Create what is missing and keep every other process out until the block ends.

    Raises ConfigurationError when another process has the folder, or the servers' account cannot reach it.
    """
    folder = folder.expanduser().resolve()
    account = _unprivileged_account()
    try:
        folder.mkdir(mode=0o711 if account else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--state {folder} cannot be created: {error.strerror}") from error
    if account and not reachable_by_others(folder):
        raise ConfigurationError(
            f"--state {folder} cannot be entered by the account {account.name!r}, which runs PostgreSQL because root "
            f"may not: choose a folder whose parents everybody may enter, such as {default_folder()}"
        )
    state = State(folder, account)
    with _exclusive(folder / "lock"):
        for path in (state.cache, state.sockets, state.database):
            path.mkdir(mode=0o700, exist_ok=True)
            if account:
                os.chown(path, account.uid, account.gid)
        yield state


def reachable_by_others(path: Path) -> bool:
    """Whether an account with no special rights may enter `path` and all its parents."""
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def private_json(path: Path, first_value: dict[str, str]) -> dict[str, str]:
    """The object in `path`; when there is none, `first_value`, which is written with mode 0600."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return found
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(first_value, file, indent=1)
    return first_value


def signing_key(state: State) -> str:
    """The key of this instance's tokens: random, kept, so that a restart logs nobody out."""
    return private_json(state.folder / "signing-key.json", {"jwt_secret_key": secrets.token_hex(32)})["jwt_secret_key"]


def _unprivileged_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL does not run as root and neither account "
        f"{' nor '.join(UNPRIVILEGED_ACCOUNTS)} exists: run this command as another user"
    )


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when this process ends, however it ends."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ConfigurationError(
                f"process {holder} already runs from {path.parent}: stop it, or give this one another --state folder"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
