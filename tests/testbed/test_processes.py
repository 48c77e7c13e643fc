"""The process list is the specification of a node."""

from pathlib import Path

import pytest

from genai_testbed.layout import Bed, Level, Ports
from genai_testbed.processes import PROCESSES, PYTHON, Process, wanted
from genai_testbed.tools import JUDGES, PROGRAMS

BED = Bed(Path("/clone/.state/testbed"), isolated=True, ports=Ports(host=40001))
LOOPBACK = Bed(Path("/clone/.state/testbed"), isolated=False, ports=Ports(1001, 1002, 1003, 1004, host=1003))


def names(processes: tuple[Process, ...]) -> list[str]:
    return [process.name for process in processes]


def test_the_control_plane_waits_for_no_program_of_the_node() -> None:
    assert names(wanted(Level.CONTROL_PLANE, isolated=True)) == [
        "etcd",
        "kube-apiserver",
        "bridge",
        "kube-controller-manager",
    ]


def test_the_node_contains_the_control_plane() -> None:
    assert wanted(Level.NODE, isolated=True) == PROCESSES
    assert set(wanted(Level.CONTROL_PLANE, isolated=True)) < set(PROCESSES)


def test_without_a_network_of_its_own_no_bridge_is_needed() -> None:
    assert "bridge" not in names(wanted(Level.CONTROL_PLANE, isolated=False))


def test_names_are_unique_and_stages_ascend() -> None:
    assert len({process.name for process in PROCESSES}) == len(PROCESSES)
    stages = [process.stage for process in PROCESSES]
    assert stages == sorted(stages)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_program_is_compiled_or_known(process: Process) -> None:
    assert process.executable in {*PROGRAMS, "containerd", PYTHON}


def test_no_compiled_program_is_built_for_nothing() -> None:
    assert {*JUDGES, *(process.executable for process in PROCESSES)} >= set(PROGRAMS)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_file_belongs_to_the_state_folder(process: Process) -> None:
    """Else two clones would share it, and `down` would forget it."""
    values = [argument.split("=", 1)[-1] for argument in process.arguments(BED)]
    paths = [value for value in values if value.startswith("/")]
    assert all(Path(path).is_relative_to(BED.state) for path in paths)


def test_without_root_only_the_ports_that_were_chosen_are_used() -> None:
    arguments = [a for process in wanted(Level.CONTROL_PLANE, isolated=False) for a in process.arguments(LOOPBACK)]
    assert "--bind-address=127.0.0.1" in arguments
    assert "--secure-port=1003" in arguments
    assert not [argument for argument in arguments if "2379" in argument or "6443" in argument or "0.0.0.0" in argument]  # noqa: S104 - looked for, not used
