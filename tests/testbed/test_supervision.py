"""Processes are found by the mark that they carry, with all that descends from them."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from genai_testbed import layout, supervision
from genai_testbed.errors import NotReady, TestbedError
from genai_testbed.layout import Bed, Level
from genai_testbed.place import Place
from genai_testbed.processes import Alive, Process
from genai_testbed.waiting import eventually

SLEEP = Process("sleeper", Level.CONTROL_PLANE, 1, lambda _: ["300"], Alive(), program="sleep", seconds=5)
ARGV = ["/bin/sleep", "300"]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = layout.create(tmp_path, isolated=False)
    yield made
    supervision.end([each for group in supervision.find(made.id).values() for each in group], grace=0)


def pid_of(bed: Bed) -> int:
    main = supervision.main_process(supervision.find(bed.id), "sleeper", "sleep")
    assert main
    return main.pid


def test_a_process_that_runs_is_left_alone(bed: Bed) -> None:
    assert supervision.ensure(bed, Place(), SLEEP, ARGV)
    supervision.wait_ready(bed, Place(), SLEEP)
    first = pid_of(bed)
    assert not supervision.ensure(bed, Place(), SLEEP, ARGV)
    assert pid_of(bed) == first


def test_other_arguments_mean_another_process(bed: Bed) -> None:
    supervision.ensure(bed, Place(), SLEEP, ARGV)
    supervision.wait_ready(bed, Place(), SLEEP)
    first = pid_of(bed)
    assert supervision.ensure(bed, Place(), SLEEP, ["/bin/sleep", "301"])
    supervision.wait_ready(bed, Place(), SLEEP)
    assert pid_of(bed) != first


def test_descendants_are_found_and_ended(bed: Bed) -> None:
    supervision.start(bed, Place(), "parent", ["/bin/sh", "-c", "sleep 300 & exec sleep 301"])

    def both() -> list[psutil.Process]:
        sleeping = [x for x in supervision.find(bed.id).get("parent", ()) if supervision.program_name(x) == "sleep"]
        return sleeping if len(sleeping) == 2 else []

    supervision.end(eventually(both, within=5), grace=2)
    assert not supervision.find(bed.id)


def test_another_test_bed_sees_none_of_it(bed: Bed, tmp_path: Path) -> None:
    supervision.ensure(bed, Place(), SLEEP, ARGV)
    supervision.wait_ready(bed, Place(), SLEEP)
    assert not supervision.find(layout.bed_id(tmp_path / "other"))


def test_a_process_that_ends_is_reported_with_its_last_words(bed: Bed) -> None:
    broken = Process("broken", Level.CONTROL_PLANE, 1, lambda _: [], Alive(), program="sh", seconds=5)
    supervision.start(bed, Place(), "broken", ["/bin/sh", "-c", "echo no such key; exit 3"])
    with pytest.raises(NotReady, match=r"broken ended.*\n.*no such key\n.*genai-testbed logs broken"):
        supervision.wait_ready(bed, Place(), broken)


def test_it_outlives_us_and_has_no_terminal(bed: Bed) -> None:
    supervision.ensure(bed, Place(), SLEEP, ARGV)
    supervision.wait_ready(bed, Place(), SLEEP)
    assert os.getsid(pid_of(bed)) != os.getsid(0)


def test_a_taken_port_is_named_with_the_remedy(bed: Bed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TestbedError, match=rf"Port {port} .*genai-testbed down, then up"):
            supervision.start(bed, Place(), "bridge", ARGV, listens=port)
