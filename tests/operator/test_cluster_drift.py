"""Every child of an instance, whatever its kind: deleted, edited, relabelled or without its owner, it comes back."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from genai_operator.kinds import CHILDREN, OPTIONAL
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import CHILD_SELECTOR, COMPONENT, MANAGED_BY
from genai_testbed.waiting import eventually

if TYPE_CHECKING:  # pytest imports test modules by path, so conftest.py is no module at run time
    from tests.operator.conftest import World

pytestmark = pytest.mark.cluster

DRIFT_SECONDS = 5.0
FOREIGN = "someone.else/note"
WHOLE: dict[str, Any] = {
    "api": {"autoscaling": {"mode": "Enabled", "engine": "KEDA"}, "podDisruptionBudget": "Enabled"},
    "exposure": {
        "type": "Gateway",
        "host": "cars.example.com",
        "gateway": {"parentRefs": [{"name": "edge"}]},
        "tls": {"mode": "CertManager", "issuerRef": {"name": "le"}},
    },
    "monitoring": {"receivers": {"slackSecretRef": {"name": "slack"}}},
    "pgadmin": {"enabled": True},
}
NOT_OURS = {"Pod", "PersistentVolumeClaim", "Cluster"}
"""Made by other controllers, or of a mode of its own, which test_cluster_edges.py covers."""
EDITS: dict[str, Manifest] = {
    "Secret": {"metadata": {"labels": {"app.kubernetes.io/part-of": "other"}}},
    "ConfigMap": {"data": {"drift": "kept", "LLM_PROVIDER": "none", "redis.conf": "", "servers.json": ""}},
    "Service": {"spec": {"sessionAffinity": "ClientIP", "selector": {COMPONENT: "nobody"}}},
    "ServiceAccount": {"automountServiceAccountToken": True},
    "StatefulSet": {"spec": {"replicas": 0}},
    "Deployment": {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 3}}}},
    "Job": {"metadata": {"labels": {"app.kubernetes.io/part-of": "other"}}},
    "HorizontalPodAutoscaler": {"spec": {"maxReplicas": 77}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 7}},
    "NetworkPolicy": {"spec": {"policyTypes": ["Ingress"]}},
    "Ingress": {"spec": {"rules": [{"host": "other.example.com"}]}},
    "ScaledObject": {"spec": {"maxReplicaCount": 77}},
    "HTTPRoute": {"spec": {"hostnames": ["other.example.com"]}},
    "Certificate": {"spec": {"dnsNames": ["other.example.com"]}},
    "ServiceMonitor": {"spec": {"endpoints": []}},
    "PrometheusRule": {"spec": {"groups": []}},
    "AlertmanagerConfig": {"spec": {"receivers": [{"name": "nobody"}], "route": {"receiver": "nobody"}}},
}


def test_every_kind_has_an_edit_that_hurts() -> None:
    assert EDITS.keys() == {kind.name for kind in (*CHILDREN, *OPTIONAL)} - NOT_OURS


def children(world: "World") -> list[Manifest]:
    """Everything that the operator made, by the names that kubectl takes."""
    plurals = [
        f"{kind.plural}.{kind.group}".rstrip(".") for kind in (*CHILDREN, *OPTIONAL) if kind.name not in NOT_OURS
    ]
    served = world.kubectl.run("api-resources", "--output=name", "--namespaced=true").split()
    return world.kubectl.items(",".join(p for p in plurals if p in served), f"--selector={CHILD_SELECTOR}")


def essence(item: Manifest) -> Manifest:
    """What the operator asks for, without what the API server or a controller gives anew to each object."""
    spec = {k: v for k, v in item.get("spec", {}).items() if k not in ("clusterIP", "clusterIPs")}
    if item["kind"] == "Job":
        spec = {}  # its controller adds a uid to it
    return {
        "labels": item["metadata"]["labels"],
        "owners": [owner["uid"] for owner in item["metadata"].get("ownerReferences", ())],
        "spec": spec,
        "data": item.get("data") if item["kind"] == "ConfigMap" else sorted(item.get("data") or ()),
        "token": item.get("automountServiceAccountToken"),
    }


def right_again(world: "World", item: Manifest, wanted: Manifest, *, new: bool = False) -> None:
    """Wait until an object is as wanted; `new`: as another object than before."""
    kind, name, uid = item["kind"], item["metadata"]["name"], item["metadata"]["uid"]

    def look() -> bool:
        live = world.kubectl.get(resource(item), name)
        assert (live["metadata"]["uid"] != uid) == new
        found = essence(live)
        if kind == "ConfigMap":  # who adds a key of their own may keep it
            found["data"] = {key: value for key, value in found["data"].items() if key in wanted["data"]}
        different = {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]}
        assert not different, f"{kind} {name}: {different}"
        return True

    eventually(look, within=DRIFT_SECONDS)


def resource(item: Manifest) -> str:
    """The kind as kubectl takes it without doubt: kind.version.group."""
    group, _, version = item["apiVersion"].rpartition("/")
    return f"{item['kind']}.{version}.{group}" if group else item["kind"]


def test_everything_comes_back_and_what_is_somebody_elses_stays(
    world: "World", install_crds: Callable[[str], None]
) -> None:
    for name in ("monitoring", "cert-manager", "gateway", "keda"):
        install_crds(name)
    world.apply(**WHOLE)
    wanted_kinds = EDITS.keys() - {"Ingress", "HorizontalPodAutoscaler"}
    eventually(lambda: {item["kind"] for item in children(world)} >= wanted_kinds, within=30)
    world.run_pods("database")
    world.finish_job("migration")  # so that its Job is not replaced meanwhile
    world.has("SchemaUpToDate", "True")
    world.apply(exposure={"type": "Ingress"}, api={"autoscaling": {"engine": "HPA"}})
    eventually(lambda: world.kubectl.find("ingress", "quickstart-api"), within=10)
    eventually(lambda: world.kubectl.find("hpa", "quickstart-api"), within=10)
    world.quiet()
    seen = set()
    for listed in children(world):
        name, kind = listed["metadata"]["name"], resource(listed)
        item = world.kubectl.get(kind, name)  # a lost Secret has rolled what uses it
        seen.add(item["kind"])
        wanted = essence(item)
        world.kubectl.run("annotate", kind, name, f"{FOREIGN}=kept")
        world.kubectl.run("label", kind, name, "someone.else/label=kept")
        wanted["labels"] = {**wanted["labels"], "someone.else/label": "kept"}
        world.kubectl.run("patch", kind, name, "--type=merge", "--patch", json.dumps(EDITS[item["kind"]]))
        right_again(world, item, wanted)
        world.kubectl.run("label", "--overwrite", kind, name, f"{MANAGED_BY}-", f"{COMPONENT}=other")
        right_again(world, item, wanted)
        if wanted["owners"]:
            world.kubectl.run("patch", kind, name, "--type=merge", '--patch={"metadata":{"ownerReferences":null}}')
            right_again(world, item, wanted)
        live = world.kubectl.get(kind, name)
        assert dig(live, "metadata", "annotations", FOREIGN) == "kept"
        if item["kind"] == "Job":
            continue  # one that has succeeded is the proof of it: test_cluster_reconcile.py deletes it
        world.kubectl.run("delete", kind, name, "--cascade=orphan")
        del wanted["labels"]["someone.else/label"]
        right_again(world, item, wanted, new=True)
        if item["kind"] == "Secret":
            world.quiet()
    assert seen >= EDITS.keys() - {"HTTPRoute", "ScaledObject"}
