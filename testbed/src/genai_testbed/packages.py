"""Debian's part of a node: which programs are needed, where they come from, and how they get onto the machine.

containerd is special: installing its package would start the machine's own. It is unpacked into the cache instead, and
everything else is installed as usual.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.errors import MissingPrerequisite
from genai_testbed.layout import Level, cache_folder
from genai_testbed.locks import exclusive
from genai_testbed.place import SYSTEM_PATH
from genai_testbed.progress import Progress


@dataclass(frozen=True)
class Package:
    """A Debian package and a file that shows that it, or another source of the same, is there."""

    name: str
    level: Level
    shown_by: str


PACKAGES: tuple[Package, ...] = (
    Package("iproute2", Level.CONTROL_PLANE, "ip"),
    Package("util-linux", Level.CONTROL_PLANE, "nsenter"),
    Package("runc", Level.NODE, "runc"),
    Package("containernetworking-plugins", Level.NODE, "/usr/lib/cni/bridge"),
    Package("iptables", Level.NODE, "iptables"),
    Package("conntrack", Level.NODE, "conntrack"),
    Package("ipset", Level.NODE, "ipset"),
    Package("busybox-static", Level.NODE, "busybox"),
)
CONTAINERD_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr")


def missing(level: Level) -> tuple[Package, ...]:
    """The packages of that level whose programs are not on this machine."""
    return tuple(each for each in PACKAGES if level.includes(each.level) and not _is_there(each.shown_by))


def _is_there(file: str) -> bool:
    return Path(file).exists() if file.startswith("/") else shutil.which(file, path=SYSTEM_PATH) is not None


def containerd_folder() -> Path | None:
    """The folder with containerd's programs: ours in the cache, else the machine's; None when there is none."""
    ours = cache_folder() / "debian" / "containerd" / "usr" / "bin"
    if ours.is_dir():
        return ours
    found = [shutil.which(program, path=SYSTEM_PATH) for program in CONTAINERD_PROGRAMS]
    return Path(found[0]).parent if found[0] and all(found) else None


def why_not(level: Level) -> str:
    """Why the programs of that level can neither be found nor be installed here; empty when they can."""
    names = [each.name for each in missing(level)]
    if level is Level.NODE and containerd_folder() is None:
        names.append("containerd")
    return _advice(names, is_root=os.geteuid() == 0, has_apt=shutil.which("apt-get") is not None)


def _advice(names: Sequence[str], *, is_root: bool, has_apt: bool) -> str:
    """PURE: what a person has to do about missing packages; empty when we can do it ourselves."""
    if not names or (is_root and has_apt):
        return ""
    if has_apt:
        return f"the packages {', '.join(names)} are missing: run `sudo genai-testbed prerequisites`"
    return f"the programs of the Debian packages {', '.join(names)} are missing: install them with this system's tools"


def ensure(level: Level, progress: Progress) -> None:
    """Install what is missing. Raises MissingPrerequisite where that is not possible."""
    if reason := why_not(level):
        raise MissingPrerequisite(f"This machine cannot run the level {level}: {reason}.")
    names = [each.name for each in missing(level)]
    lacks_containerd = level is Level.NODE and containerd_folder() is None
    if not names and not lacks_containerd:
        return
    with exclusive(cache_folder() / "debian" / ".lock", lambda: progress.note("Waiting for another installation …")):
        with progress.step("refresh the package lists"):
            _apt("update")
        if names:
            with progress.step(f"install {', '.join(names)}"):
                _apt("install", "--yes", "--no-install-recommends", *names)
        if lacks_containerd and containerd_folder() is None:
            with progress.step("unpack containerd into the cache (the machine's own is left alone)"):
                _unpack("containerd", cache_folder() / "debian")


def _unpack(package: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _apt("download", package, cwd=Path(scratch))
        (archive,) = Path(scratch).glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", archive.name, "files"], cwd=scratch, check=True)
        (Path(scratch) / "files").replace(folder / package)


def _apt(verb: str, *arguments: str, cwd: Path | None = None) -> None:
    options = ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root"]
    done = subprocess.run(
        ["apt-get", *options, verb, *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, cwd=cwd,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise MissingPrerequisite(f"apt-get {verb} failed:\n{_last_lines(done.stdout.splitlines())}")


def _last_lines(lines: Iterable[str]) -> str:
    return "\n".join(list(lines)[-10:])
