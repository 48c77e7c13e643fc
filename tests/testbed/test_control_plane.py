"""The control plane: idempotent, healed by another `up`, gone after `down`, beside others, also without root."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from genai_testbed import clusters, layout, lifecycle, supervision
from genai_testbed.kubectl import Kubectl, KubectlError
from genai_testbed.layout import Bed, Level
from genai_testbed.progress import Progress
from genai_testbed.traces import namespaces_of, remains
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.cluster
COMMAND = [sys.executable, "-m", "genai_testbed"]
PROCESSES = ("etcd", "kube-apiserver", "kube-controller-manager")


def pids(bed: Bed) -> dict[str, int]:
    """Process name → pid."""
    seen = lifecycle.status(bed.state)
    assert seen
    return {row.name: row.pid for row in seen[1] if row.pid}


def cluster_uid(bed: Bed) -> str:
    """What tells one Kubernetes from another."""
    return str(Kubectl(bed.kubeconfig).get("namespace", "kube-system")["metadata"]["uid"])


def up(state: Path) -> Bed:
    return lifecycle.up(Level.CONTROL_PLANE, Progress(), state)


def test_up_twice_leaves_every_process_alone(control_plane: Bed) -> None:
    before = pids(control_plane)
    up(control_plane.state)
    assert pids(control_plane) == before
    assert set(before) >= set(PROCESSES)


@pytest.mark.parametrize("name", PROCESSES)
def test_up_heals_a_killed_process_and_keeps_the_data(control_plane: Bed, name: str) -> None:
    kubectl = Kubectl(control_plane.kubeconfig)
    kubectl.run("create", "configmap", f"before-{name}")
    before = pids(control_plane)
    supervision.end([psutil.Process(before[name])], grace=0)
    status = run("status", control_plane.state)
    assert status.returncode == 1
    assert "`genai-testbed up` mends it" in status.stdout
    up(control_plane.state)
    after = pids(control_plane)
    changed = {each for each in before if before[each] != after[each]}
    # A controller manager whose API server is away for long gives up by itself.
    assert {name} <= changed <= {name} | ({"kube-controller-manager"} if name == "kube-apiserver" else set())
    assert kubectl.find("configmap", f"before-{name}")


def test_of_two_test_beds_one_goes_without_a_trace_and_the_other_stays(control_plane: Bed, state: Path) -> None:
    other = up(state)
    assert cluster_uid(other) != cluster_uid(control_plane)
    namespaces = namespaces_of(other)
    assert remains(other, namespaces)
    assert lifecycle.down(Progress(), state)
    assert remains(other, namespaces) == []
    assert not lifecycle.down(Progress(), state)
    assert Kubectl(control_plane.kubeconfig).find("namespace", "default")


def test_a_session_removes_what_it_started_and_keeps_what_a_person_has_up(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(layout.STATE_VARIABLE, str(state))
    monkeypatch.setenv("CLUSTER", "testbed")
    with clusters.session("control-plane") as first:
        with clusters.session("control-plane") as second:
            assert (first.keeps_running, second.keeps_running) == (False, False)
        assert first.is_running()
    assert not first.is_running()
    assert run("up", state, "--level=control-plane").returncode == 0
    with clusters.session("control-plane") as third:
        assert third.keeps_running
    assert third.is_running()


def test_a_run_that_was_killed_half_way_is_finished_by_the_next(state: Path) -> None:
    kill_up_when_seen(state, "kube-apiserver")
    bed = up(state)
    assert set(pids(bed)) >= set(PROCESSES)
    assert cluster_uid(bed)


def test_a_run_that_was_killed_half_way_can_be_taken_down(state: Path) -> None:
    kill_up_when_seen(state, "etcd")
    bed = layout.existing(state)
    assert bed
    namespaces = namespaces_of(bed)
    assert lifecycle.down(Progress(), state)
    assert remains(bed, namespaces) == []


def test_the_audit_log_tells_who_asked_for_what(control_plane: Bed) -> None:
    Kubectl(control_plane.kubeconfig).run("get", "priorityclasses.scheduling.k8s.io")

    def told() -> list[str]:
        entries = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]
        return [each["user"]["username"] for each in entries if "/priorityclasses" in each["requestURI"]]

    assert "kubernetes-admin" in eventually(told, within=5)


def test_admission_is_as_strict_as_in_production(control_plane: Bed) -> None:
    kubectl = Kubectl(control_plane.kubeconfig)
    restricted = {"name": "strict", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": restricted}))
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]},
    }
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        kubectl.within("strict").apply(json.dumps(pod))


def test_without_root_the_control_plane_runs_on_free_ports(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    state = tmp_path / "state"
    done = run("up", state, "--level=control-plane", unprivileged=True)
    try:
        assert done.returncode == 0, done.stderr
        bed = layout.existing(state)
        assert bed
        assert not bed.isolated
        assert cluster_uid(bed)
        node = run("up", state, "--level=node", unprivileged=True)
        assert node.returncode == 1
        assert "The level node needs root" in node.stderr
    finally:
        down = run("down", state, unprivileged=True)
    assert down.returncode == 0, down.stderr
    assert remains(bed, frozenset()) == []


def kill_up_when_seen(state: Path, role: str) -> None:
    """Start `up` and kill it, and only it, as soon as that process exists."""
    command = [*COMMAND, "up", "--level=control-plane"]
    with subprocess.Popen(command, env=environment(state), stderr=subprocess.DEVNULL) as running:
        eventually(lambda: supervision.find(layout.bed_id(state)).get(role), within=60, every=0.02)
        running.kill()


def run(verb: str, state: Path, *options: str, unprivileged: bool = False) -> subprocess.CompletedProcess[str]:
    """A command of genai-testbed. `unprivileged`: as another user than root, who may yet read this checkout."""
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    drop += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    prefix = drop if unprivileged and os.geteuid() == 0 else []
    command = [*prefix, *COMMAND, verb, *options]
    return subprocess.run(command, env=environment(state), capture_output=True, text=True, check=False, cwd="/")


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, layout.STATE_VARIABLE: str(state), "CLUSTER": "testbed"}
