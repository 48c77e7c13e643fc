"""Definitions of other projects' kinds, as files: from their Go modules, at versions and checksums that stand here."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.errors import BuildFailed
from genai_testbed.progress import Progress
from genai_testbed.tools import find_go, go_environment

OWN_FOLDER = Path(__file__).parent / "crds"


@dataclass(frozen=True)
class Source:
    """Files of a Go module; `checksum` is the one that go.sum would hold for its contents."""

    module: str
    version: str
    checksum: str
    folder: str
    files: tuple[str, ...]


SOURCES = {
    "monitoring": Source(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        "example/prometheus-operator-crd",
        tuple(
            f"monitoring.coreos.com_{kind}.yaml"
            for kind in ("alertmanagerconfigs", "prometheusrules", "servicemonitors")
        ),
    ),
    "cert-manager": Source(
        "github.com/cert-manager/cert-manager",
        "v1.21.0",
        "h1:BCoB2BxA1lbqPusZCqPLPn8Q9MhraL7RbZGHbBcm3W8=",
        "deploy/crds",
        ("cert-manager.io_certificates.yaml",),
    ),
    "gateway": Source(
        "sigs.k8s.io/gateway-api",
        "v1.5.1",
        "h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0=",
        "config/crd/standard",
        tuple(
            f"gateway.networking.k8s.io_{kind}.yaml"
            for kind in (
                "backendtlspolicies",
                "gatewayclasses",
                "gateways",
                "grpcroutes",
                "httproutes",
                "referencegrants",
                "tlsroutes",
            )
        ),
    ),
    "keda": Source(
        "github.com/kedacore/keda/v2",
        "v2.21.0",
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        "config/crd/bases",
        ("keda.sh_scaledobjects.yaml",),
    ),
}
OWN = {"cloudnative-pg": ("postgresql.cnpg.io_clusters.yaml",)}
"""Those that no package registry has: ours, with the fields that we set and read."""


def prepare(progress: Progress) -> None:
    """Have all definitions on this machine, so that no test waits for a download. Raises BuildFailed."""
    with progress.step(f"fetch the definitions of {', '.join(SOURCES)}"):
        for name in SOURCES:
            files(name)


def files(name: str) -> tuple[Path, ...]:
    """The definitions of one project, downloaded once for this machine. Raises BuildFailed or MissingPrerequisite."""
    if name in OWN:
        return tuple(OWN_FOLDER / file for file in OWN[name])
    source = SOURCES[name]
    folder = _download(source) / source.folder
    return tuple(folder / file for file in source.files)


def _download(source: Source) -> Path:
    """The module's folder in Go's own cache, which all clones of a user share."""
    go, _ = find_go()
    wanted = f"{source.module}@{source.version}"
    done = subprocess.run(
        [str(go), "mod", "download", "-json", wanted],
        cwd="/", env=go_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BuildFailed(f"{wanted} cannot be downloaded: {done.stdout}{done.stderr}; check GOPROXY and the network.")
    answer = json.loads(done.stdout)
    if answer["Sum"] != source.checksum:
        raise BuildFailed(f"{wanted} has the checksum {answer['Sum']} instead of {source.checksum}: do not use it.")
    return Path(answer["Dir"])
