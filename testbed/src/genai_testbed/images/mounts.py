"""File systems that a killed build left mounted: found and undone before anything is deleted below them."""

import re
import shutil
import subprocess
from pathlib import Path


def below(folder: Path, mountinfo: str) -> tuple[str, ...]:
    """Mount points at or under `folder` in the text of /proc/self/mountinfo, the innermost first."""
    points = (_unescaped(line.split()[4]) for line in mountinfo.splitlines() if line)
    return tuple(sorted((point for point in points if Path(point).is_relative_to(folder)), key=len, reverse=True))


def undo(folder: Path) -> None:
    """Unmount everything at or under `folder`. Raises CalledProcessError when the kernel refuses."""
    for point in below(folder.resolve(), Path("/proc/self/mountinfo").read_text()):
        subprocess.run(["umount", "--lazy", point], check=True, capture_output=True)


def clear(folder: Path) -> None:
    """Make `folder` an empty one: unmount first, because deleting through a mount would delete what is mounted."""
    undo(folder)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _unescaped(point: str) -> str:
    """The kernel writes blanks, line ends and backslashes as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
