"""What the machine's cgroup mounts mean for kubelet."""

from pathlib import Path

import pytest

from genai_testbed import cgroups
from genai_testbed.errors import MissingPrerequisite

V2 = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
ROOT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


def v1(*groups: str) -> str:
    return "".join(
        f"3{number} 31 0:{number} / /sys/fs/cgroup/{group} rw,relatime shared:9 - cgroup cgroup rw,{group}\n"
        for number, group in enumerate(groups)
    )


COMPLETE_V1 = v1("cpu,cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio")
HYBRID = COMPLETE_V1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"


def test_version_2_has_one_hierarchy() -> None:
    assert cgroups.detect(ROOT + V2) == cgroups.CgroupSetup(2, (Path("/sys/fs/cgroup"),))


@pytest.mark.parametrize("mountinfo", [COMPLETE_V1, HYBRID], ids=["v1", "hybrid"])
def test_version_1_has_a_hierarchy_for_each_mount(mountinfo: str) -> None:
    setup = cgroups.detect(ROOT + mountinfo)
    assert setup.version == 1
    assert Path("/sys/fs/cgroup/cpu,cpuacct") in setup.hierarchies
    assert len(setup.hierarchies) == 7


@pytest.mark.parametrize(
    ("mountinfo", "absent"),
    [
        (ROOT, "cpu, cpuacct, cpuset, memory, pids, devices, freezer"),
        (v1("cpu,cpuacct", "cpuset", "devices", "freezer"), "memory, pids"),
    ],
    ids=["nothing mounted", "without memory"],
)
def test_what_kubelet_cannot_use_is_named_with_the_remedy(mountinfo: str, absent: str) -> None:
    with pytest.raises(MissingPrerequisite, match=f"controllers {absent} are not mounted.*unified_cgroup_hierarchy"):
        cgroups.detect(mountinfo)


def test_folders_are_made_and_removed_with_all_below(tmp_path: Path) -> None:
    setup = cgroups.CgroupSetup(1, (tmp_path / "cpu", tmp_path / "memory"))
    for hierarchy in setup.hierarchies:
        hierarchy.mkdir()
    cgroups.create("genai-test", setup)
    (tmp_path / "cpu" / "genai-test" / "kubepods" / "besteffort").mkdir(parents=True)
    cgroups.remove("genai-test", setup.hierarchies)
    assert [list(hierarchy.iterdir()) for hierarchy in setup.hierarchies] == [[], []]


def test_a_machine_that_forbids_cgroups_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match=r"--privileged .*--level control-plane"):
        cgroups.create("genai-test", cgroups.CgroupSetup(1, (tmp_path / "absent",)))
