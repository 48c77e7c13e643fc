"""The files that the node's programs read."""

import json
from pathlib import Path

from genai_testbed import configuration
from genai_testbed.layout import Bed, Level, Ports
from genai_testbed.pause import PAUSE_IMAGE

BED = Bed(Path("/clone/.state/testbed"), isolated=True, ports=Ports(host=40001))


def test_the_control_plane_needs_only_the_audit_policy() -> None:
    assert list(configuration.files(BED, Level.CONTROL_PLANE)) == ["audit-policy.yaml"]
    assert set(configuration.files(BED, Level.NODE)) > {"audit-policy.yaml", "kubelet.yaml", "containerd.toml"}


def test_pods_live_in_a_cgroup_of_this_test_bed() -> None:
    assert configuration.kubelet(BED)["cgroupRoot"] == f"/genai-{BED.id}"


def test_the_image_behind_every_pod_is_ours() -> None:
    assert f'sandbox_image = "{PAUSE_IMAGE}"' in configuration.containerd(BED)
    (helper,) = configuration.local_path_helper()["spec"]["containers"]
    assert helper["image"] == PAUSE_IMAGE


def test_containerd_keeps_its_data_in_the_state_folder() -> None:
    assert f'root = "{BED.state}/containerd"' in configuration.containerd(BED)


def test_names_outside_of_the_cluster_are_not_asked_for_elsewhere() -> None:
    assert "forward" not in configuration.corefile(BED)


def test_the_audit_log_tells_of_clients_and_not_of_components() -> None:
    policy = configuration.audit_policy()
    silent = {user for rule in policy["rules"] if rule["level"] == "None" for user in rule.get("users", ())}
    assert "system:kube-controller-manager" in silent
    assert policy["rules"][-1] == {"level": "Metadata"}


def test_files_are_valid() -> None:
    for name, text in configuration.files(BED, Level.NODE).items():
        if name.endswith((".yaml", ".json", ".conflist")):
            assert json.loads(text)
