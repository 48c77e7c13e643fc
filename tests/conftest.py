"""What holds for every level: a test without a level is a unit test, and a run leaves nothing behind."""

import os
import uuid
from pathlib import Path

import psutil
import pytest

LEVELS = ("unit", "service", "cluster", "node")
MARK = "GENAI_AUTO_TEST_RUN"
"""Set in the environment of this run, which every process that it starts inherits."""

before = pytest.StashKey[set[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its level, and run the quick levels first: what is broken shows soon, and a node lives shortly."""
    for item in items:
        if not any(item.get_closest_marker(level) for level in LEVELS):
            item.add_marker(pytest.mark.unit)
    items.sort(key=lambda item: next(place for place, level in enumerate(LEVELS) if item.get_closest_marker(level)))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember what is there already: a cluster that ran before the tests may go on."""
    os.environ[MARK] = uuid.uuid4().hex
    session.config.stash[before] = network_namespaces() | mounts()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that left a process, a mount or a network namespace."""
    known = session.config.stash[before]
    left = processes(os.environ[MARK]) | ((network_namespaces() | mounts()) - known)
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for line in sorted(left):
            print(f"\nleft behind: {line}")  # noqa: T201 - the terminal summary is closed by now


def processes(mark: str) -> set[str]:
    """Processes of the run that outlived it."""
    found = set()
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get(MARK) == mark and process.pid not in {os.getpid(), *parents()}:
            found.add(f"process {process.pid}: {' '.join(process.info['cmdline'] or ())[:200]}")
    return found


def parents() -> set[int]:
    """The processes above this one."""
    return {parent.pid for parent in psutil.Process().parents()}


def network_namespaces() -> set[str]:
    """Named network namespaces of test beds."""
    return {f"network namespace {path.name}" for path in Path("/run/netns").glob("genai-*")}


def mounts() -> set[str]:
    """Mount points of test beds and image builds."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return {f"mount {line.split()[1]}" for line in lines if "genai" in line or "pytest-of-" in line}
