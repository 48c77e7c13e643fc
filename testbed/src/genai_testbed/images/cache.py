"""Finished images on this machine's disk, shared by all clones, and the lock under which they are made."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.images import mounts
from genai_testbed.layout import cache_folder

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Image:
    """An image that is ready: its full reference, the archive that holds it, and its size in bytes once unpacked."""

    name: str
    reference: str
    archive: Path
    unpacked_bytes: int


@dataclass(frozen=True)
class Cache:
    """The folder: `images/` has archives, `build/` what can always be made again."""

    root: Path

    @classmethod
    def of_machine(cls) -> "Cache":
        """The folder that all clones share."""
        return cls(cache_folder())

    @property
    def images(self) -> Path:
        """Archives, each with a small description beside it."""
        return self.root / "images"

    @property
    def build(self) -> Path:
        """Storage of the builder, base images, scratch folders."""
        return self.root / "build"

    @property
    def scratch(self) -> Path:
        """Empty at the beginning and at the end of every build."""
        return self.build / "scratch"

    def archive(self, name: str, fingerprint: str) -> Path:
        """Where that image is or will be."""
        return self.images / f"{name}-{fingerprint}.tar"

    def find(self, name: str, fingerprint: str) -> Image | None:
        """The image when it is complete: its description is written first, the archive appears last, in one step."""
        archive = self.archive(name, fingerprint)
        if not archive.exists():
            return None
        os.utime(archive)
        return self._described(archive)

    def add(self, name: str, fingerprint: str, reference: str, partial: Path, unpacked_bytes: int) -> Image:
        """Take over a finished archive."""
        archive = self.archive(name, fingerprint)
        description = {"name": name, "reference": reference, "unpacked_bytes": unpacked_bytes}
        archive.with_suffix(".json").write_text(json.dumps(description))
        partial.replace(archive)
        return self._described(archive)

    def everything(self) -> tuple[Image, ...]:
        """All images, the ones used last first."""
        archives = sorted(self.images.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
        return tuple(self._described(path) for path in archives)

    def remove(self, image: Image) -> None:
        """Take one out: the archive first, so that a half removed image is an absent one."""
        image.archive.unlink(missing_ok=True)
        image.archive.with_suffix(".json").unlink(missing_ok=True)

    @contextmanager
    def locked(self, progress: Progress) -> Iterator[int]:
        """Hold the only right to build; yields the lock's file descriptor.

        Programs that are started with this descriptor (`pass_fds`) keep the right for as long as they live: after a
        builder was killed, the next one waits until nothing of it is left at work. Begins by clearing what a killed
        builder left behind.
        """
        self.images.mkdir(parents=True, exist_ok=True)
        self.build.mkdir(parents=True, exist_ok=True)
        with (self.build / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("waiting for another build on this machine to end")
                fcntl.flock(lock, fcntl.LOCK_EX)
            mounts.clear(self.scratch)
            for partial in self.images.glob("*.partial"):
                partial.unlink()
            try:
                yield lock.fileno()
            finally:
                mounts.clear(self.scratch)

    def _described(self, archive: Path) -> Image:
        told = json.loads(archive.with_suffix(".json").read_text())
        return Image(told["name"], told["reference"], archive, int(told["unpacked_bytes"]))
