"""What holds for every level: a test without a level is a unit test, and a run leaves nothing behind."""

import os
import uuid
from collections.abc import Set as AbstractSet

import psutil
import pytest

from genai_testbed.suite import SIDE_BY_SIDE
from genai_testbed.traces import of_any_bed

LEVELS = ("unit", "service", "cluster", "node")
MARK = "GENAI_AUTO_TEST_RUN"
"""Set in the environment of this run, which every process that it starts inherits."""

before = pytest.StashKey[AbstractSet[object]]()


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
    session.config.stash[before] = of_any_bed()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that left a process, a mount or a network namespace; the last two `make test` looks for by itself."""
    left = processes(os.environ[MARK])
    if SIDE_BY_SIDE not in os.environ:
        left |= of_any_bed() - session.config.stash[before]
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
