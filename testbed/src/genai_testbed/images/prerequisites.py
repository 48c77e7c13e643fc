"""The programs that building needs: installed where that is this machine's custom and our right, else asked for."""

import os
import shutil
from typing import Final

from genai_testbed.errors import MissingPrerequisite
from genai_testbed.images.programs import Runner

BUILDAH: Final = {"buildah": "buildah", "debootstrap": "debootstrap", "tar": "tar", "umount": "mount"}
"""Program → the Debian package that has it."""


def require(programs: dict[str, str], runner: Runner) -> None:
    """Have these programs on PATH and the rights to use them. Raises MissingPrerequisite with what to do."""
    if os.geteuid() != 0:
        raise MissingPrerequisite("building images without Docker needs root: run this with sudo, or start Docker")
    packages = missing(programs)
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise MissingPrerequisite(f"building images without Docker needs {', '.join(packages)}: install them")
    runner.progress(f"{runner.name}: installing the Debian packages {', '.join(packages)}")
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    runner.run([*apt, "update"])
    runner.run([*apt, "install", "-y", "--no-install-recommends", *packages, "debian-archive-keyring"])


def missing(programs: dict[str, str]) -> list[str]:
    """The packages of those programs that are not on PATH, sorted."""
    return sorted({package for program, package in programs.items() if shutil.which(program) is None})
