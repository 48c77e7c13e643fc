"""The base image where there is no registry: Debian with Python, made by debootstrap from this machine's mirror."""

import hashlib
import os
import platform
import shutil
from pathlib import Path
from typing import Final

from genai_testbed.images import client_settings, debian
from genai_testbed.images.cache import Cache
from genai_testbed.images.programs import Runner

PACKAGES: Final = ("ca-certificates", "python3", "python3-venv")
REMOVED: Final = (
    "etc/apt/sources.list", "etc/hostname", "etc/resolv.conf", "etc/machine-id", "root/.*history", "root/.wget-hsts",
    "usr/share/doc/*", "usr/share/info/*", "usr/share/locale/*", "usr/share/man/*",
    "var/cache/apt/*.bin", "var/cache/apt/archives/*.deb", "var/cache/debconf/*-old",
    "var/lib/apt/lists/*", "var/log/*", "tmp/*", "var/tmp/*",
)  # fmt: skip
"""What belongs to the moment or the machine of the build, or that nobody reads in a container."""

NO_SERVICES: Final = "#!/bin/sh\n# A package that is installed during a build must not start its service.\nexit 101\n"


def fingerprint() -> str:
    """Twelve hexadecimal digits that change with the recipe of the base, not with what the mirror has today."""
    recipe = (debian.SUITE, platform.machine(), *PACKAGES, *REMOVED, NO_SERVICES)
    return hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:12]


def reference() -> str:
    """The name of the base in the builder's storage."""
    return f"localhost/genai-auto-base:{fingerprint()}"


def mirror() -> debian.Mirror:
    """That of this machine's apt sources. Raises NoDebianMirror."""
    return debian.find_mirror(client_settings.apt_source_texts(), os.environ)


def debootstrap_arguments(source: debian.Mirror, target: Path) -> list[str]:
    """The command line that fills `target`."""
    return [
        "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--keyring={source.keyring}",
        debian.SUITE, str(target), source.uri,
    ]  # fmt: skip


def rootfs(cache: Cache, runner: Runner) -> Path:
    """The file system as a tar file, made once. Raises ImageBuildFailed, NoDebianMirror."""
    finished = cache.build / f"base-{fingerprint()}.tar"
    if finished.exists():
        return finished
    folder, partial = cache.scratch / "rootfs", cache.scratch / finished.name
    runner.progress(f"{runner.name}: debootstrap makes the base image, once for this machine (about two minutes)")
    runner.run(debootstrap_arguments(mirror(), folder))
    clean(folder)
    runner.run(["tar", "--create", "--numeric-owner", "--sort=name", "--exclude=./dev/*", "--exclude=./proc/*",
                "--exclude=./sys/*", f"--directory={folder}", f"--file={partial}", "."])  # fmt: skip
    return partial.replace(finished)


def clean(folder: Path) -> None:
    """Take out what is in `REMOVED` and keep services from starting during later builds."""
    for pattern in REMOVED:
        for path in folder.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)
