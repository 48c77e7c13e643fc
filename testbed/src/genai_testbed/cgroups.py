"""The machine's cgroup set-up: what kubelet needs of it, the folder of our pods in it, and its removal."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.errors import MissingPrerequisite, TestbedError

V1_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer")
V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
MOUNTINFO = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class CgroupSetup:
    """`version` 1 or 2; `hierarchies` are the mount points in which every pod has a folder."""

    version: int
    hierarchies: tuple[Path, ...]


def detect(mountinfo: str) -> CgroupSetup:
    """Read the set-up from the text of /proc/self/mountinfo. Raises MissingPrerequisite when kubelet cannot use it."""
    v1: dict[Path, set[str]] = {}
    unified: list[Path] = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        mount_point = Path(before.split()[4])
        filesystem, _, options = after.split(maxsplit=2)
        if filesystem == "cgroup":
            v1[mount_point] = set(options.split(",")) - {"rw", "ro"}
        elif filesystem == "cgroup2":
            unified.append(mount_point)
    mounted = set().union(*v1.values()) if v1 else set()
    if not mounted & set(V1_CONTROLLERS) and unified:
        return CgroupSetup(2, (unified[0],))
    absent = [name for name in V1_CONTROLLERS if name not in mounted]
    if absent:
        raise MissingPrerequisite(
            f"The cgroup controllers {', '.join(absent)} are not mounted, and kubelet needs them. Boot with cgroup v2 "
            "(systemd.unified_cgroup_hierarchy=1), mount them under /sys/fs/cgroup, or, in a container, start it "
            "with --privileged --cgroupns=host. The control plane needs none of this: --level control-plane."
        )
    return CgroupSetup(1, tuple(sorted(v1)))


def current() -> CgroupSetup:
    """The set-up of this machine."""
    return detect(MOUNTINFO.read_text())


def mount_points() -> tuple[Path, ...]:
    """Every cgroup mount of this machine, usable by kubelet or not."""
    lines = MOUNTINFO.read_text().splitlines()
    return tuple(Path(line.split()[4]) for line in lines if " - cgroup" in line)


def create(name: str, setup: CgroupSetup) -> None:
    """Make the folder `name` in every hierarchy. Raises MissingPrerequisite when the machine does not allow it."""
    try:
        if setup.version == 2:
            wanted = " ".join(f"+{controller}" for controller in V2_CONTROLLERS)
            (setup.hierarchies[0] / "cgroup.subtree_control").write_text(wanted)
        for hierarchy in setup.hierarchies:
            (hierarchy / name).mkdir(exist_ok=True)
    except OSError as error:
        raise MissingPrerequisite(
            f"This machine does not let us make cgroups ({error}). In a container, start it with --privileged "
            "--cgroupns=host; else use --level control-plane."
        ) from error


def remove(name: str, hierarchies: Iterable[Path], timeout: float = 15) -> None:
    """Remove the folder `name` with all below it. The kernel frees a dead process's cgroup a moment late: we wait."""
    deadline = time.monotonic() + timeout
    for hierarchy in hierarchies:
        while (hierarchy / name).exists():
            busy = _remove_tree(hierarchy / name)
            if busy and time.monotonic() > deadline:
                raise TestbedError(f"{busy} still holds processes; see its cgroup.procs, end them, and repeat.")
            time.sleep(0.05 if busy else 0)


def _remove_tree(folder: Path) -> Path | None:
    """The folder that could not be removed, if any."""
    for child in [entry for entry in folder.iterdir() if entry.is_dir()]:
        if busy := _remove_tree(child):
            return busy
    try:
        folder.rmdir()
    except FileNotFoundError:
        return None
    except OSError:
        return folder
    return None
