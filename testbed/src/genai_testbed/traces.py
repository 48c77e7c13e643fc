"""What a test bed leaves on the machine: as the kernel sees it, not as `down` believes it."""

from pathlib import Path

from genai_testbed import cgroups, isolation, supervision
from genai_testbed.layout import Bed

KINDS = ("pid", "mnt", "net")


def namespaces_of(bed: Bed) -> frozenset[str]:
    """The kernel's names of the namespaces that the node lives in; empty when it has none of its own."""
    machine = isolation.holder(bed.id)
    return _namespaces(Path(f"/proc/{machine.pid}")) if machine else frozenset()


def remains(bed: Bed, namespaces: frozenset[str]) -> list[str]:
    """Processes, mounts, cgroups and files of it, one line each; `namespaces` as they were before it was taken down."""
    left = [f"process {each.pid} ({role})" for role, group in supervision.find(bed.id).items() for each in group]
    for process in Path("/proc").glob("[0-9]*"):
        left += [f"{process} lives in {name}" for name in sorted(namespaces & _namespaces(process))]
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    left += [f"mount {line}" for line in mounts if str(bed.state) in line]
    left += [f"cgroup {each / bed.cgroup}" for each in cgroups.mount_points() if (each / bed.cgroup).exists()]
    return [*left, *([f"folder {bed.state}"] if bed.state.exists() else [])]


def of_any_bed() -> frozenset[str]:
    """Mount points and named network namespaces of test beds, image builds and pytest's folders on this machine."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    mounts = {f"mount {line.split()[1]}" for line in lines if "genai" in line or "pytest-of-" in line}
    return frozenset(mounts | {f"network namespace {path.name}" for path in Path("/run/netns").glob("genai-*")})


def _namespaces(process: Path) -> frozenset[str]:
    try:
        return frozenset(str((process / "ns" / kind).readlink()) for kind in KINDS)
    except OSError:
        return frozenset()  # it has ended, or is a kernel's
