"""Where one test bed keeps its things, and its addresses: all derived from the clone, so clones never collide."""

import hashlib
import json
import os
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

CLONE = Path(__file__).parents[3]
STATE_VARIABLE = "GENAI_TESTBED_STATE"
NODE_NAME = "testbed"
NODE_ADDRESS = "10.89.0.1"
POD_SUBNET = "10.88.0.0/16"
SERVICE_SUBNET = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
METRICS_PORT = 4443


class Level(StrEnum):
    """How much of Kubernetes is real: `node` contains `control-plane`."""

    CONTROL_PLANE = "control-plane"
    NODE = "node"

    def includes(self, other: "Level") -> bool:
        """True when what belongs to `other` runs at this level."""
        return self is Level.NODE or other is Level.CONTROL_PLANE


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1 of the node's own network when isolated, else of the machine. `host`: outside."""

    etcd: int = 2379
    etcd_peer: int = 2380
    api: int = 6443
    controller_manager: int = 10257
    host: int = 0


@dataclass(frozen=True)
class Bed:
    """One test bed. `isolated`: in namespaces of its own (root); else a control plane on free loopback ports."""

    state: Path
    isolated: bool
    ports: Ports

    @property
    def id(self) -> str:
        """Eight characters that tell this test bed from those of other clones."""
        return bed_id(self.state)

    @property
    def cgroup(self) -> str:
        """The folder of all pods in every cgroup hierarchy."""
        return cgroup_name(self.id)

    @property
    def kubeconfig(self) -> Path:
        """For users: reaches the API server from the machine."""
        return self.state / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """The files that the processes read."""
        return self.state / "config"

    @property
    def audit_log(self) -> Path:
        """One JSON object a line, one line a finished request: who asked the API server for what."""
        return self.state / "logs" / "audit.log"

    @property
    def volumes(self) -> Path:
        """The folders behind persistent volumes."""
        return self.state / "volumes"

    def loaded(self, archive: Path) -> Path:
        """Exists when this very image archive is in the node's store. Raises FileNotFoundError without the archive."""
        about = archive.stat()
        return self.state / "images" / f"{archive.name}-{about.st_size}-{about.st_mtime_ns}"

    def log(self, name: str) -> Path:
        """What the process of that name said."""
        return self.state / "logs" / f"{name}.log"


def cache_folder() -> Path:
    """Compiled programs and images of all clones; safe to delete."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genai-auto"


def state_folder() -> Path:
    """`<clone>/.state/testbed`, or what GENAI_TESTBED_STATE names."""
    return Path(os.environ.get(STATE_VARIABLE) or CLONE / ".state" / "testbed").resolve()


def bed_id(state: Path) -> str:
    """Derived from the state folder's path alone: known even when the folder is gone."""
    return hashlib.sha256(str(state).encode()).hexdigest()[:8]


def cgroup_name(bed_id: str) -> str:
    """The folder of a test bed's pods in every cgroup hierarchy."""
    return f"genai-{bed_id}"


def lock_file(state: Path) -> Path:
    """Beside the state folder, because `down` removes that folder while it holds the lock."""
    return state.with_name(f"{state.name}.lock")


def existing(state: Path) -> Bed | None:
    """The test bed of this state folder, or None when there is none."""
    try:
        saved = json.loads((state / "bed.json").read_text())
    except FileNotFoundError:
        return None
    return Bed(state, saved["isolated"], Ports(**saved["ports"]))


def create(state: Path, *, isolated: bool) -> Bed:
    """A new test bed with free ports, remembered in the state folder."""
    ports = Ports(host=free_ports(1)[0]) if isolated else _loopback_ports()
    bed = Bed(state, isolated, ports)
    for folder in (bed.config, bed.volumes, bed.state / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    partial = state / "bed.json.partial"
    partial.write_text(json.dumps({"isolated": isolated, "ports": asdict(ports)}))
    partial.replace(state / "bed.json")
    return bed


def _loopback_ports() -> Ports:
    etcd, peer, api, manager = free_ports(4)
    return Ports(etcd, peer, api, manager, host=api)


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]
