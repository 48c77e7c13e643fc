"""Mounts that a killed build left are found, and nothing outside is."""

from pathlib import Path

from genai_testbed.images import mounts

MOUNTINFO = """\
22 1 254:0 / / rw - ext4 /dev/vda rw
90 22 0:30 / /cache/build/scratch/rootfs/proc rw - proc proc rw
91 90 0:31 / /cache/build/scratch/rootfs/proc/sys/fs/binfmt_misc rw - binfmt_misc none rw
92 22 0:32 / /cache/build/scratch-of-another rw - tmpfs none rw
93 22 0:33 / /cache/build/scratch/with\\040space rw - tmpfs none rw
"""


def test_the_innermost_comes_first_and_neighbours_are_left_alone() -> None:
    assert mounts.below(Path("/cache/build/scratch"), MOUNTINFO) == (
        "/cache/build/scratch/rootfs/proc/sys/fs/binfmt_misc",
        "/cache/build/scratch/rootfs/proc",
        "/cache/build/scratch/with space",
    )


def test_a_cleared_folder_is_there_and_empty(tmp_path: Path) -> None:
    (tmp_path / "folder" / "left").mkdir(parents=True)
    mounts.clear(tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []
