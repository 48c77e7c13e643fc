"""What an image is made from, read once: the same bytes are hashed, and built from, whatever is edited meanwhile."""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.errors import MissingPrerequisite

SOURCE_DATE = 1580601600
"""Seconds since 1970: one date for all files of a build, so that equal content makes equal layers."""


@dataclass(frozen=True)
class InputFile:
    """One file of a build: its path relative to the clone, its bytes, and whether it may be executed."""

    path: str
    content: bytes
    executable: bool = False


def gather(clone: Path, roots: Sequence[str]) -> tuple[InputFile, ...]:
    """Files under `roots` that git tracks or would add (ignored files never get into an image), sorted by path.

    Raises MissingPrerequisite outside a git clone.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *roots]
    listed = subprocess.run(command, cwd=clone, check=False, capture_output=True, text=True)
    if listed.returncode:
        raise MissingPrerequisite(
            f"images are built from a git clone, and git does not see one: {listed.stderr.strip()}"
        )
    paths = sorted(path for path in listed.stdout.split("\0") if path and (clone / path).is_file())
    return tuple(InputFile(path, (clone / path).read_bytes(), os.access(clone / path, os.X_OK)) for path in paths)


def fingerprint(files: Iterable[InputFile], *more: str) -> str:
    """Twelve hexadecimal digits that change with any path, byte or executable bit, and with each of `more`."""
    digest = hashlib.sha256()
    for file in files:
        header = f"{file.path}\0{file.executable:d}\0{len(file.content)}\0"
        digest.update(header.encode())
        digest.update(file.content)
    for part in more:
        digest.update(f"\0{len(part)}\0{part}".encode())
    return digest.hexdigest()[:12]


def write(files: Iterable[InputFile], folder: Path) -> None:
    """Lay the files out under `folder` as the context of a build."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)
        os.utime(target, (SOURCE_DATE, SOURCE_DATE))
