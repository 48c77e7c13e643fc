"""CLUSTER says which Kubernetes is meant, and levels say what this machine can run."""

import os
import sys
from pathlib import Path

import pytest

from genai_testbed import clusters, suite
from genai_testbed.errors import MissingPrerequisite, NotReady, TestbedError
from genai_testbed.levels import Level, levels


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Go, Docker and kind."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("name", clusters.NAMES)
def test_the_environment_chooses(name: str) -> None:
    assert clusters.choose({"CLUSTER": name}).name == name


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(TestbedError, match="CLUSTER=minikube is unknown: it is one of testbed, kind, current"):
        clusters.choose({"CLUSTER": "minikube"})


@pytest.mark.usefixtures("no_programs")
@pytest.mark.parametrize("environment", [{}, {"CLUSTER": ""}], ids=["unset", "empty"])
def test_without_docker_the_test_bed_is_the_default(environment: dict[str, str]) -> None:
    assert clusters.choose(environment).name == "testbed"


def fake(folder: Path, name: str, exit_code: int) -> None:
    """A program on PATH that only ends with this code."""
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(("docker_info", "expected"), [(0, "kind"), (1, "testbed")])
@pytest.mark.usefixtures("no_programs")
def test_a_docker_client_without_an_engine_does_not_count(tmp_path: Path, docker_info: int, expected: str) -> None:
    fake(tmp_path, "kind", 0)
    fake(tmp_path, "docker", docker_info)
    assert clusters.choose({}).name == expected


@pytest.mark.usefixtures("no_programs")
def test_kind_without_kind_says_what_is_missing() -> None:
    with pytest.raises(MissingPrerequisite, match=r"kind is not installed.*use CLUSTER=testbed"):
        clusters.Kind().ensure("node")


def test_a_cluster_of_the_user_is_never_removed() -> None:
    with pytest.raises(TestbedError, match="is yours"):
        clusters.Current().down()


def test_a_test_bed_that_is_off_has_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="genai-testbed up"):
        clusters.Testbed(state=tmp_path / "state").kubeconfig()


def test_levels_are_the_pytest_markers() -> None:
    assert [level.name for level in levels({})] == ["unit", "service", "cluster", "node"]


@pytest.mark.usefixtures("no_programs")
def test_a_level_that_cannot_run_says_why() -> None:
    found = {level.name: level.missing for level in levels({"CLUSTER": "testbed"})}
    assert found["unit"] == ""
    assert "Go is not installed" in found["cluster"]
    assert "Go is not installed" in found["node"]
    assert "kind is not installed" in {level.name: level.missing for level in levels({"CLUSTER": "kind"})}["node"]


@pytest.mark.parametrize(("in_ci", "acceptable"), [(False, True), (True, False)])
def test_in_ci_a_level_that_is_left_out_is_a_failure(in_ci: bool, acceptable: bool) -> None:
    plan = suite.plan((Level("unit"), Level("node", "no root")), in_ci=in_ci)
    assert plan.expressions == ("unit",)
    assert plan.acceptable is acceptable


def test_the_node_level_runs_beside_the_others() -> None:
    plan = suite.plan((Level("unit"), Level("service"), Level("node")), in_ci=True)
    assert plan.expressions == ("unit or service", "node")


@pytest.mark.parametrize(("chosen", "code"), [("test_it_is_well", 0), ("test_it_is_not", 1), ("test_nobody_wrote", 5)])
def test_the_run_is_as_good_as_its_worst_part(
    chosen: str, code: int, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_small.py").write_text("def test_it_is_well(): pass\ndef test_it_is_not(): assert False\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(suite, "COMMAND", (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k"))
    assert suite.side_by_side(("test_it_is_well", chosen), os.environ) == code
    assert "1 passed" in capfd.readouterr().out
