"""Two clones never share a folder, a cgroup or a port."""

from pathlib import Path

import pytest

from genai_testbed import layout
from genai_testbed.layout import Level


def test_everything_derives_from_the_state_folder(tmp_path: Path) -> None:
    one, two = (layout.create(tmp_path / name, isolated=True) for name in ("one", "two"))
    assert one.id != two.id
    assert one.cgroup != two.cgroup
    assert layout.lock_file(one.state) != layout.lock_file(two.state)
    for bed in (one, two):
        for path in (bed.kubeconfig, bed.pki, bed.config, bed.volumes, bed.audit_log, bed.log("etcd")):
            assert path.is_relative_to(bed.state)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_test_bed_is_remembered(tmp_path: Path, isolated: bool) -> None:
    assert layout.existing(tmp_path) is None
    created = layout.create(tmp_path, isolated=isolated)
    assert layout.existing(tmp_path) == created


def test_without_a_network_of_its_own_every_port_is_free_and_different(tmp_path: Path) -> None:
    ports = layout.create(tmp_path, isolated=False).ports
    assert len({ports.etcd, ports.etcd_peer, ports.api, ports.controller_manager}) == 4
    assert ports.host == ports.api


def test_the_state_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(layout.STATE_VARIABLE, str(tmp_path / "elsewhere"))
    assert layout.state_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv(layout.STATE_VARIABLE)
    assert layout.state_folder() == layout.CLONE / ".state" / "testbed"


@pytest.mark.parametrize(
    ("level", "other", "included"),
    [
        (Level.NODE, Level.CONTROL_PLANE, True),
        (Level.NODE, Level.NODE, True),
        (Level.CONTROL_PLANE, Level.CONTROL_PLANE, True),
        (Level.CONTROL_PLANE, Level.NODE, False),
    ],
)
def test_levels(level: Level, other: Level, included: bool) -> None:
    assert level.includes(other) is included
