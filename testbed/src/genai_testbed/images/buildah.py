"""Images by buildah, which needs no service, on a base of our own, in a storage of its own."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genai_testbed.images import base, mounts, prerequisites
from genai_testbed.images.cache import Cache
from genai_testbed.images.catalogue import Recipe
from genai_testbed.images.debian import Mirror
from genai_testbed.images.engine import Order, build_arguments
from genai_testbed.images.errors import ImageBuildFailed
from genai_testbed.images.programs import Runner
from genai_testbed.layout import CLONE

BASE_CONTAINERFILE: Final = CLONE / "testbed" / "images" / "base.Containerfile"


@dataclass(frozen=True)
class Buildah:
    """The storage in the cache folder; nothing of the machine's is touched."""

    cache: Cache

    def mirror(self) -> Mirror | None:
        """That of this machine's apt sources."""
        return base.mirror()

    def sources(self, recipe: Recipe) -> tuple[str, ...]:
        """Everything is made from files of ours, stand-ins too."""
        return (recipe.containerfile, *recipe.sources)

    def ingredients(self, recipe: Recipe) -> str:  # noqa: ARG002 - one base for all
        """The base image."""
        return f"buildah {base.fingerprint()}"

    def prepare(self, runner: Runner) -> None:
        """The programs, a storage without leftovers, the base image in it."""
        prerequisites.require(prerequisites.BUILDAH, runner)
        mounts.undo(self.cache.build)
        self._choose_driver(runner)
        runner.run(self.command("rm", "--all"))
        self._have_base(runner)

    def build(self, order: Order, runner: Runner) -> None:
        """Build with layers kept for the next time, and export."""
        self._bud(build_arguments(order, base.reference()), runner)
        runner.run(self.command("push", order.reference, f"docker-archive:{order.target}:{order.reference}"))

    def forget(self, references: Sequence[str], runner: Runner) -> None:
        """Remove from our storage."""
        if shutil.which("buildah") is None or not self.cache.build.exists():
            return
        known = runner.run(self.command("images", "--format", "{{.Name}}:{{.Tag}}")).splitlines()
        if old := sorted(set(references).intersection(known)):
            runner.run(self.command("rmi", *old))

    def command(self, *arguments: str) -> list[str]:
        """A buildah command line on our own storage."""
        driver = "vfs" if self._without_overlay.exists() else "overlay"
        storage = self.cache.build / driver
        own = ("--storage-driver", driver, "--root", str(storage / "root"), "--runroot", str(storage / "run"))
        return ["buildah", *own, *arguments]

    def _bud(self, arguments: Sequence[str], runner: Runner) -> None:
        runner.run(self.command("bud", "--isolation", "chroot", "--layers", "--pull=never", *arguments))

    def _have_base(self, runner: Runner) -> None:
        known = runner.run(self.command("images", "--format", "{{.Name}}:{{.Tag}}")).splitlines()
        if base.reference() in known:
            return
        context = self.cache.scratch / "base"
        context.mkdir()
        (context / "rootfs.tar").hardlink_to(base.rootfs(self.cache, runner))
        runner.progress(f"{runner.name}: the base image comes into the storage")
        self._bud(["--file", str(BASE_CONTAINERFILE), "--tag", base.reference(), str(context)], runner)

    def _choose_driver(self, runner: Runner) -> None:
        """Overlay, unless this kernel or file system cannot: then vfs, which copies whole images."""
        try:
            runner.run(self.command("info"))
        except ImageBuildFailed:
            if self._without_overlay.exists():
                raise
            runner.progress(
                f"{runner.name}: no overlay file systems here: using vfs, which is slower and takes more disk"
            )
            self._without_overlay.touch()
            runner.run(self.command("info"))

    @property
    def _without_overlay(self) -> Path:
        return self.cache.build / "no-overlay"
