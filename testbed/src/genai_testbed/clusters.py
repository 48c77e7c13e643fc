"""Where the tests' Kubernetes comes from: CLUSTER=testbed|kind|current, three implementations of one protocol."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from genai_testbed import foreign_crds, layout, lifecycle, supervision
from genai_testbed.errors import MissingPrerequisite, NotReady, TestbedError
from genai_testbed.kubectl import PROGRAM as KUBECTL
from genai_testbed.kubectl import Kubectl, KubectlError
from genai_testbed.layout import Level
from genai_testbed.locks import shared
from genai_testbed.progress import Progress

NAMES = ("testbed", "kind", "current")
KIND_NAME = "genai-auto"


class Cluster(Protocol):
    """A Kubernetes to test on. `is_ours`: made by us, so `down` may remove it."""

    @property
    def name(self) -> str:
        """Which of NAMES it is."""

    @property
    def is_ours(self) -> bool:
        """Whether `down` may remove it."""

    @property
    def keeps_running(self) -> bool:
        """Whether it stays after the `session` that yielded it."""

    def prepare(self, level: str) -> None:
        """Have what takes long the first time, so that `ensure` is quick. Raises TestbedError."""

    def ensure(self, level: str) -> None:
        """Have it running at that level (`control-plane` or `node`). Raises TestbedError."""

    def is_running(self) -> bool:
        """Whether it is there, well or not."""

    def kubeconfig(self) -> Path:
        """A kubeconfig whose current context is this cluster. Raises TestbedError."""

    def load_images(self, archives: Sequence[Path]) -> None:
        """Make image archives available to its pods. Raises TestbedError."""

    def down(self) -> None:
        """Remove it with all that belongs to it. Raises TestbedError when it is not ours."""


@dataclass(frozen=True)
class Testbed:
    """The node that we build ourselves."""

    progress: Progress = field(default_factory=Progress)
    state: Path = field(default_factory=layout.state_folder)
    keeps_running: bool = True
    name: str = "testbed"
    is_ours: bool = True

    def prepare(self, level: str) -> None:
        """See Cluster: Debian packages, compiled programs and other projects' definitions."""
        lifecycle.prepare(Level(level), self.progress)
        foreign_crds.prepare(self.progress)

    def ensure(self, level: str) -> None:
        """See Cluster."""
        lifecycle.up(Level(level), self.progress, self.state)

    def is_running(self) -> bool:
        """See Cluster: well or not, somebody has it up; `ensure` mends it."""
        return bool(supervision.find(layout.bed_id(self.state)))

    def kubeconfig(self) -> Path:
        """See Cluster."""
        bed = layout.existing(self.state)
        if bed is None:
            raise NotReady("There is no test bed: genai-testbed up")
        return bed.kubeconfig

    def load_images(self, archives: Sequence[Path]) -> None:
        """See Cluster."""
        lifecycle.load_images(archives, self.progress, self.state)

    def down(self) -> None:
        """See Cluster."""
        lifecycle.down(self.progress, self.state)


@dataclass(frozen=True)
class Kind:
    """kind, where Docker runs. Every level is its whole node."""

    progress: Progress = field(default_factory=Progress)
    keeps_running: bool = True
    name: str = "kind"
    is_ours: bool = True

    def prepare(self, level: str) -> None:
        """See Cluster: kind brings its node."""

    def ensure(self, level: str) -> None:  # noqa: ARG002 - kind has but one level
        """See Cluster."""
        require_kind()
        if not self.is_running():
            with self.progress.step(f"create the kind cluster {KIND_NAME}"):
                _call("kind", "create", "cluster", f"--name={KIND_NAME}", f"--kubeconfig={self._file}", "--wait=120s")

    def is_running(self) -> bool:
        """See Cluster."""
        return KIND_NAME in _call("kind", "get", "clusters").split()

    def kubeconfig(self) -> Path:
        """See Cluster."""
        if not self.is_running():
            raise NotReady("There is no kind cluster of ours: genai-testbed up")
        _call("kind", "export", "kubeconfig", f"--name={KIND_NAME}", f"--kubeconfig={self._file}")
        return self._file

    def load_images(self, archives: Sequence[Path]) -> None:
        """See Cluster."""
        for archive in archives:
            with self.progress.step(f"load {archive.name} into kind"):
                _call("kind", "load", "image-archive", str(archive), f"--name={KIND_NAME}")

    def down(self) -> None:
        """See Cluster."""
        _call("kind", "delete", "cluster", f"--name={KIND_NAME}", f"--kubeconfig={self._file}")
        self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        folder = layout.CLONE / ".state"
        folder.mkdir(exist_ok=True)
        return folder / "kind.kubeconfig"


@dataclass(frozen=True)
class Current:
    """The cluster that the caller's kubeconfig points to. We use it, and never make or remove it."""

    progress: Progress = field(default_factory=Progress)
    keeps_running: bool = True
    name: str = "current"
    is_ours: bool = False

    def prepare(self, level: str) -> None:
        """See Cluster: it is as it is."""

    def ensure(self, level: str) -> None:  # noqa: ARG002 - it is as it is
        """See Cluster."""
        try:
            Kubectl(self.kubeconfig()).run("version")
        except KubectlError as error:
            raise NotReady(f"The current kubeconfig context does not answer: {error}. Choose one that does.") from error

    def is_running(self) -> bool:
        """See Cluster."""
        return True

    def kubeconfig(self) -> Path:
        """See Cluster: the current context alone, in a file of its own that later changes do not reach."""
        text = _call(str(KUBECTL), "config", "view", "--minify", "--flatten", "--raw")
        file = layout.CLONE / ".state" / "current.kubeconfig"
        file.parent.mkdir(exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text)
        return file

    def load_images(self, archives: Sequence[Path]) -> None:
        """See Cluster: nobody can load images into any cluster; a registry is needed."""
        listed = "".join(f"\n  {archive}" for archive in archives)
        self.progress.note(f"Your cluster pulls from its registry. Push these archives there if it lacks them:{listed}")

    def down(self) -> None:
        """See Cluster."""
        raise TestbedError("CLUSTER=current is yours: genai-testbed does not remove it.")


def choose(environment: Mapping[str, str] = os.environ, *, keeps_running: bool = True) -> Cluster:
    """The cluster that CLUSTER names; without it, kind where Docker runs and kind is installed, else the test bed."""
    name = environment.get("CLUSTER") or ("testbed" if why_not_kind() else "kind")
    match name:
        case "testbed":
            return Testbed(keeps_running=keeps_running)
        case "kind":
            return Kind(keeps_running=keeps_running)
        case "current":
            return Current()
    raise TestbedError(f"CLUSTER={name} is unknown: it is one of {', '.join(NAMES)}, or unset.")


@contextmanager
def session(level: str) -> Iterator[Cluster]:
    """A running cluster for a test run. The last run that uses it removes it, unless a person has it up."""
    with shared(_file("users")) as alone:
        found = choose()
        passing = found.is_ours and (_file("passing").exists() or not found.is_running())
        if passing:
            _file("passing").touch()
        cluster = choose(keeps_running=not passing)
        cluster.ensure(level)
        try:
            yield cluster
        finally:
            if passing and _file("passing").exists() and alone():
                cluster.down()
                keep()


def keep() -> None:
    """The running cluster is from now on a person's: test runs leave it running."""
    _file("passing").unlink(missing_ok=True)


def _file(suffix: str) -> Path:
    return layout.lock_file(layout.state_folder()).with_suffix(f".{suffix}")


def why_not_kind() -> str:
    """Why kind cannot be used here; empty when it can."""
    if shutil.which("kind") is None:
        return "kind is not installed"
    if shutil.which("docker") is None:
        return "docker is not installed"
    engine = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return "" if engine.returncode == 0 else "the Docker engine does not run (see `docker info`)"


def require_kind() -> None:
    """Raises MissingPrerequisite when kind cannot be used here."""
    if reason := why_not_kind():
        raise MissingPrerequisite(f"CLUSTER=kind does not work here: {reason}. Mend that, or use CLUSTER=testbed.")


def _call(*command: str) -> str:
    """What a command printed. Raises TestbedError with its message when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise TestbedError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
