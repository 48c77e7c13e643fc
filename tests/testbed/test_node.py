"""The node: pods run, find each other, keep data, can be looked into; and nothing of it is left at the end."""

import http.client
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from genai_testbed import clusters, lifecycle, supervision
from genai_testbed.errors import TestbedError
from genai_testbed.ingress import traefik
from genai_testbed.isolation import OWN_FOLDERS, holder
from genai_testbed.kubectl import Kubectl
from genai_testbed.layout import Bed, Level
from genai_testbed.pause import PAUSE_IMAGE
from genai_testbed.progress import Progress
from genai_testbed.traces import namespaces_of, remains
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.node

NAMESPACE = "restricted"
GATEWAY_API = "gateway.networking.k8s.io/v1"
SCRIPT = """
id -G > /data/groups && echo served > /data/index.html && echo started
exec /bin/busybox httpd -f -p 8080 -h /data
"""


def pids(bed: Bed) -> dict[str, int]:
    """Process name → pid."""
    seen = lifecycle.status(bed.state)
    assert seen
    return {row.name: row.pid for row in seen[1] if row.pid}


def cluster_uid(bed: Bed) -> str:
    """What tells one Kubernetes from another."""
    return str(Kubectl(bed.kubeconfig).get("namespace", "kube-system")["metadata"]["uid"])


def manifests() -> list[dict[str, Any]]:
    """A web server as strict as the restricted profile wants it, its volume and its Service."""
    container = {
        "name": "web",
        "image": PAUSE_IMAGE,
        "command": ["sh", "-c", SCRIPT],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "resources": {"limits": {"memory": "64Mi", "cpu": "100m"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec = {
        "securityContext": {
            "runAsUser": 1000,
            "runAsNonRoot": True,
            "fsGroup": 2000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}
    return [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "site"},  # not the pod's name, which the pod knows from its own hosts file
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]


def run_web_server(bed: Bed) -> Kubectl:
    """A namespace with the web server, Ready."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    Kubectl(bed.kubeconfig).apply(json.dumps(namespace))
    kubectl = Kubectl(bed.kubeconfig, NAMESPACE)
    eventually(lambda: kubectl.find("serviceaccount", "default"), within=10)
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests()}))
    kubectl.run("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return kubectl


@pytest.fixture(scope="module")
def web(node: Bed) -> Iterator[Kubectl]:
    """The namespace of the web server on the shared node."""
    yield run_web_server(node)
    Kubectl(node.kubeconfig).run("delete", "namespace", NAMESPACE, "--timeout=60s")


def says(web: Kubectl, *command: str) -> str:
    """What a command in the pod prints; a kubelet that has just started does not know its pods yet."""
    return eventually(lambda: web.run("exec", "web", "--", *command), within=20)


def container_id(kubectl: Kubectl) -> str:
    return str(kubectl.get("pod", "web")["status"]["containerStatuses"][0]["containerID"])


def test_the_volume_belongs_to_the_pods_group(web: Kubectl) -> None:
    assert "2000" in web.run("exec", "web", "--", "cat", "/data/groups").split()
    assert web.get("pvc", "data")["status"]["phase"] == "Bound"


def test_logs(web: Kubectl) -> None:
    assert web.run("logs", "web") == "started\n"


@pytest.mark.parametrize("name", ["site", "site.restricted.svc.cluster.local"])
def test_a_service_is_found_by_name_and_answers(web: Kubectl, name: str) -> None:
    answer = eventually(lambda: web.run("exec", "web", "--", "wget", "-q", "-O", "-", f"http://{name}/"), within=10)
    assert answer == "served\n"


def test_port_forward_reaches_the_pod_from_the_machine(web: Kubectl) -> None:
    with web.forwarded("svc/site", 80) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"served\n"
        connection.close()


def test_metrics_tell_what_a_pod_takes(web: Kubectl) -> None:
    line = eventually(lambda: web.run("top", "pod", "web", "--no-headers"), within=60)
    assert re.fullmatch(r"web +\d+m +\d+Mi *\n", line)


def edge_answers(node: Bed, url: str) -> str:
    """What a client outside of the node gets; the certificate is one of the test bed's authority."""

    trusted = ssl.create_default_context(cafile=str(node.pki / "ca.crt"))
    return eventually(lambda: httpx2.get(url, verify=trusted).raise_for_status().text, within=20)


@pytest.fixture(scope="module")
def certificate(node: Bed, web: Kubectl) -> str:
    """A Secret with a certificate for `localhost`."""
    web.run("create", "secret", "tls", "edge", f"--cert={node.pki}/apiserver.crt", f"--key={node.pki}/apiserver.key")
    return "edge"


def test_an_ingress_leads_from_the_machine_to_the_pod(node: Bed, web: Kubectl, certificate: str) -> None:
    web.run("create", "ingress", "site", "--class=traefik", f"--rule=localhost/*=site:80,tls={certificate}")
    with traefik(clusters.Testbed(state=node.state)) as edge:
        assert edge_answers(node, f"https://localhost:{edge.https_port}/") == "served\n"
        assert eventually(lambda: web.get("ingress", "site")["status"]["loadBalancer"].get("ingress"), within=20)
        web.run("delete", "ingress", "site")
    assert not [role for role in supervision.find(node.id) if role.startswith("traefik")]
    assert Kubectl(node.kubeconfig).find("ingressclass", "traefik") is None


def test_a_gateway_leads_from_the_machine_to_the_pod(node: Bed, web: Kubectl, certificate: str) -> None:
    with traefik(clusters.Testbed(state=node.state), gateway_api=True) as edge:
        listener = {
            "name": "https",
            "port": edge.https_port,
            "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"name": certificate}]},
        }
        route = {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "site", "port": 80}]}]}
        for kind, name, spec in (
            ("Gateway", "edge", {"gatewayClassName": "traefik", "listeners": [listener]}),
            ("HTTPRoute", "site", route),
        ):
            manifest = {"apiVersion": GATEWAY_API, "kind": kind, "metadata": {"name": name}, "spec": spec}
            web.apply(json.dumps(manifest))
        assert edge_answers(node, f"https://localhost:{edge.https_port}/") == "served\n"
        (parent,) = eventually(lambda: web.get("httproute", "site")["status"]["parents"], within=20)
        assert {each["type"] for each in parent["conditions"] if each["status"] == "True"} >= {"Accepted"}


def test_up_twice_leaves_every_process_alone(node: Bed) -> None:
    before = pids(node)
    lifecycle.up(Level.NODE, Progress(), node.state)
    assert pids(node) == before


@pytest.mark.parametrize("name", ["containerd", "kubelet"])
def test_a_killed_process_is_healed_and_pods_live_on(node: Bed, web: Kubectl, name: str) -> None:
    before = container_id(web)
    supervision.end([psutil.Process(pids(node)[name])], grace=0)
    lifecycle.up(Level.NODE, Progress(), node.state)
    web.run("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert container_id(web) == before
    assert says(web, "cat", "/data/index.html") == "served\n"


def test_a_node_that_lost_its_power_comes_back_with_its_data(node: Bed, web: Kubectl) -> None:
    web.run("exec", "web", "--", "sh", "-c", "echo kept > /data/kept")
    before, machine = container_id(web), holder(node.id)
    assert machine
    supervision.end([machine], grace=0)
    eventually(lambda: not supervision.find(node.id), within=10)
    lifecycle.up(Level.NODE, Progress(), node.state)
    eventually(lambda: container_id(web) != before, within=60)
    web.run("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert says(web, "cat", "/data/kept") == "kept\n"


def test_an_archive_that_is_none_is_refused(node: Bed, tmp_path: Path) -> None:
    (tmp_path / "broken.tar").write_text("no archive")
    with pytest.raises(TestbedError, match="Is it a docker or OCI archive"):
        clusters.Testbed(state=node.state).load_images([tmp_path / "broken.tar"])


def test_down_leaves_nothing_of_a_node_beside_another(node: Bed, state: Path) -> None:
    network = sorted(path.name for path in Path("/sys/class/net").iterdir())
    bed = lifecycle.up(Level.NODE, Progress(), state)
    run_web_server(bed)
    assert cluster_uid(bed) != cluster_uid(node)
    namespaces = namespaces_of(bed)
    assert len(namespaces) == 3
    lifecycle.down(Progress(), state)
    assert remains(bed, namespaces) == []
    assert sorted(path.name for path in Path("/sys/class/net").iterdir()) == network
    assert [folder for folder in OWN_FOLDERS if Path(folder).exists() and any(Path(folder).iterdir())] == []
    assert Kubectl(node.kubeconfig).find("namespace", "default")
