"""PURE: the list of processes that make a node, in the order of their start; adding one is adding an entry."""

from collections.abc import Callable
from dataclasses import dataclass

from genai_testbed.configuration import CONTAINERD_SOCKET
from genai_testbed.layout import METRICS_PORT, NODE_ADDRESS, NODE_NAME, POD_SUBNET, SERVICE_SUBNET, Bed, Level

PYTHON = "python3"


@dataclass(frozen=True)
class Http:
    """Ready when GET answers 200 on 127.0.0.1 of the node's network."""

    port: Callable[[Bed], int]
    path: str
    tls: bool = False


@dataclass(frozen=True)
class Command:
    """Ready when the command, run inside the node, succeeds."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """Ready when the API server answers through this port of the machine."""

    port: Callable[[Bed], int]


@dataclass(frozen=True)
class Alive:
    """Ready when it runs: it offers nothing to ask."""


Readiness = Http | Command | Answers | Alive


@dataclass(frozen=True)
class Process:
    """One process: `listens` is a port of the machine whose socket it gets as standard input; `seconds` to get ready.

    Those of one `stage` start together, after the stages before are ready.
    """

    name: str
    level: Level
    stage: int
    arguments: Callable[[Bed], list[str]]
    ready: Readiness
    seconds: float = 60
    program: str = ""
    only_isolated: bool = False
    listens: Callable[[Bed], int] | None = None

    @property
    def executable(self) -> str:
        """The program's name, where it is not the process's."""
        return self.program or self.name


def etcd(bed: Bed) -> list[str]:
    client, peer = f"http://127.0.0.1:{bed.ports.etcd}", f"http://127.0.0.1:{bed.ports.etcd_peer}"
    return [
        f"--data-dir={bed.state}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",  # the data is worth nothing after a power cut
        "--logger=zap",
        "--log-level=warn",
    ]


def kube_apiserver(bed: Bed) -> list[str]:
    pki = bed.pki
    if bed.isolated:
        place = [f"--advertise-address={NODE_ADDRESS}", "--bind-address=0.0.0.0"]
    else:  # nothing but loopback, which may not stand behind the Service `kubernetes`: leave that empty
        place = ["--advertise-address=127.0.0.1", "--bind-address=127.0.0.1", "--endpoint-reconciler-type=none"]
    return [
        *place,
        f"--secure-port={bed.ports.api}",
        f"--etcd-servers=http://127.0.0.1:{bed.ports.etcd}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/service-accounts.pub",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        f"--service-cluster-ip-range={SERVICE_SUBNET}",
        "--authorization-mode=Node,RBAC",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        "--enable-aggregator-routing=true",
        "--allow-privileged=true",
        f"--audit-policy-file={bed.config}/audit-policy.yaml",
        f"--audit-log-path={bed.audit_log}",
        "--audit-log-maxsize=100",
        "--audit-log-maxbackup=1",
    ]


def kube_controller_manager(bed: Bed) -> list[str]:
    conf = f"{bed.pki}/kube-controller-manager.conf"
    return [
        f"--kubeconfig={conf}",
        f"--authentication-kubeconfig={conf}",
        f"--authorization-kubeconfig={conf}",
        "--bind-address=127.0.0.1",
        f"--secure-port={bed.ports.controller_manager}",
        f"--service-account-private-key-file={bed.pki}/service-accounts.key",
        f"--root-ca-file={bed.pki}/ca.crt",
        f"--cluster-signing-cert-file={bed.pki}/ca.crt",
        f"--cluster-signing-key-file={bed.pki}/ca.key",
        "--use-service-account-credentials",
        "--allocate-node-cidrs",
        f"--cluster-cidr={POD_SUBNET}",
        f"--service-cluster-ip-range={SERVICE_SUBNET}",
        "--leader-elect=false",
        # The default of 20 requests a second makes tests wait for the garbage collector.
        "--kube-api-qps=300",
        "--kube-api-burst=400",
    ]


def bridge(bed: Bed) -> list[str]:
    return ["-I", "-m", "genai_testbed.bridge", str(bed.ports.api)]


def kube_scheduler(bed: Bed) -> list[str]:
    return [f"--kubeconfig={bed.pki}/kube-scheduler.conf", "--bind-address=127.0.0.1", "--leader-elect=false"]


def containerd(bed: Bed) -> list[str]:
    return [f"--config={bed.config}/containerd.toml"]


def kubelet(bed: Bed) -> list[str]:
    return [
        f"--config={bed.config}/kubelet.yaml",
        f"--kubeconfig={bed.pki}/kubelet.conf",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
    ]


def kube_proxy(bed: Bed) -> list[str]:
    return [f"--config={bed.config}/kube-proxy.yaml"]


def coredns(bed: Bed) -> list[str]:
    return [f"-conf={bed.config}/Corefile"]


def local_path_provisioner(bed: Bed) -> list[str]:
    return [
        "start",
        f"--config={bed.config}/local-path.json",
        f"--helper-pod-file={bed.config}/local-path-helper.yaml",
        f"--kubeconfig={bed.pki}/local-path-provisioner.conf",
        "--namespace=local-path-storage",
        "--service-account-name=default",
    ]


def metrics_server(bed: Bed) -> list[str]:
    conf = f"{bed.pki}/metrics-server.conf"
    return [
        f"--kubeconfig={conf}",
        f"--authentication-kubeconfig={conf}",
        f"--authorization-kubeconfig={conf}",
        f"--secure-port={METRICS_PORT}",
        f"--cert-dir={bed.state}/metrics-server",
        "--kubelet-insecure-tls",  # kubelet signs its own certificate
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",  # the least that it takes, and longer than it waits for kubelet
        "--kubelet-request-timeout=5s",
    ]


def _port(number: int) -> Callable[[Bed], int]:
    return lambda _: number


PROCESSES: tuple[Process, ...] = (
    Process("etcd", Level.CONTROL_PLANE, 1, etcd, Http(lambda bed: bed.ports.etcd, "/health")),
    Process(
        "containerd", Level.NODE, 1, containerd, Command(("ctr", f"--address={CONTAINERD_SOCKET}", "version")),
    ),
    Process(
        "kube-apiserver", Level.CONTROL_PLANE, 2, kube_apiserver, Http(lambda bed: bed.ports.api, "/readyz", tls=True),
        seconds=120,
    ),
    Process(
        "bridge", Level.CONTROL_PLANE, 3, bridge, Answers(lambda bed: bed.ports.host),
        program=PYTHON, only_isolated=True, listens=lambda bed: bed.ports.host,
    ),
    Process(
        "kube-controller-manager", Level.CONTROL_PLANE, 3, kube_controller_manager,
        Http(lambda bed: bed.ports.controller_manager, "/healthz", tls=True),
    ),
    Process("kube-scheduler", Level.NODE, 3, kube_scheduler, Http(_port(10259), "/healthz", tls=True)),
    Process("kubelet", Level.NODE, 3, kubelet, Http(_port(10248), "/healthz")),
    Process("kube-proxy", Level.NODE, 3, kube_proxy, Http(_port(10256), "/livez")),
    Process("coredns", Level.NODE, 3, coredns, Http(_port(8181), "/ready")),
    Process("metrics-server", Level.NODE, 3, metrics_server, Http(_port(METRICS_PORT), "/livez", tls=True)),
    Process("local-path-provisioner", Level.NODE, 3, local_path_provisioner, Alive()),
)  # fmt: skip


def wanted(level: Level, *, isolated: bool) -> tuple[Process, ...]:
    """The processes of that level, in the order of their start."""
    return tuple(each for each in PROCESSES if level.includes(each.level) and (isolated or not each.only_isolated))
