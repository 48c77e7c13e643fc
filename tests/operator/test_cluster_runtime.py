"""The operator as a program: several of them, few rights, an old definition. Against a real API server."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from genai_operator.api.crd import DEFINITION_NAME
from genai_operator.install import NAME, install_manifests
from genai_operator.naming import LEASE_NAME
from genai_operator.yaml_output import to_yaml
from genai_testbed.waiting import eventually

if TYPE_CHECKING:  # pytest imports test modules by path, so conftest.py is no module at run time
    from tests.operator.conftest import OperatorProcess, World

pytestmark = pytest.mark.cluster

TAKE_OVER_SECONDS = 20.0
ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_candidate(
    world: "World", make_namespaced_operator: Callable[..., "OperatorProcess"]
) -> Iterator[Callable[[str], "OperatorProcess"]]:
    """Makes operators that share a Lease in the world's namespace and work in that namespace only."""
    made: list[OperatorProcess] = []

    def make(identity: str) -> "OperatorProcess":
        candidate = make_namespaced_operator(
            world, identity, LEADER_ELECTION="true", POD_NAME=identity, POD_NAMESPACE=world.namespace
        )
        made.append(candidate)
        candidate.start()
        return candidate

    yield make
    for candidate in made:
        if candidate.process is not None and candidate.process.poll() is None:
            candidate.process.send_signal(signal.SIGCONT)
            candidate.process.kill()
            candidate.process.wait(timeout=10)


def holder(world: "World") -> str:
    lease = world.kubectl.find("lease", LEASE_NAME)
    return str((lease or {}).get("spec", {}).get("holderIdentity", ""))


def leads(candidate: "OperatorProcess") -> bool:
    return "genai_operator_leader 1.0" in candidate.get("/metrics")


def test_one_works_and_the_other_takes_over_when_it_is_killed(
    world: "World", make_candidate: Callable[[str], "OperatorProcess"]
) -> None:
    first, second = make_candidate("first"), make_candidate("second")
    assert (holder(world), leads(first), leads(second)) == ("first", True, False)
    assert second.get("/readyz") == "ok\n"
    world.apply()
    eventually(lambda: first.reconciles() > 0, within=20)
    assert second.requests("PATCH") == 0
    assert first.process is not None
    killed = time.monotonic()
    first.process.kill()
    first.process.wait(timeout=10)
    eventually(lambda: holder(world) == "second", within=TAKE_OVER_SECONDS)
    eventually(lambda: second.reconciles() > 0, within=TAKE_OVER_SECONDS - (time.monotonic() - killed))
    lease = world.kubectl.get("lease", LEASE_NAME)
    assert lease["spec"]["leaseTransitions"] == 2


def test_who_stops_in_good_order_gives_the_lease_back(
    world: "World", make_candidate: Callable[[str], "OperatorProcess"]
) -> None:
    first, second = make_candidate("first"), make_candidate("second")
    stopped = time.monotonic()
    assert first.stop() == 0
    eventually(lambda: leads(second), within=5)
    assert time.monotonic() - stopped < 10
    assert second.stop() == 0
    assert holder(world) == ""


def test_who_slept_past_its_lease_writes_nothing_and_ends(
    world: "World", make_candidate: Callable[[str], "OperatorProcess"]
) -> None:
    first, second = make_candidate("first"), make_candidate("second")
    world.apply()
    eventually(lambda: first.reconciles() > 0, within=20)
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)
    eventually(lambda: leads(second), within=TAKE_OVER_SECONDS)
    world.kubectl.run("annotate", "gai", "quickstart", "wake=up")
    first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(timeout=20) == 1
    assert any(line["event"] == "leadership.lost" for line in first.lines())
    assert holder(world) == "second"


def test_a_deployment_for_some_namespaces_has_no_right_in_the_cluster(world: "World") -> None:
    manifests = install_manifests("sys", "o:1", "a:1", watched=("one", "two"))
    assert not [m for m in manifests if m["kind"].startswith("ClusterRole")]
    grants = {(m["kind"], m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests if m["kind"] == "Role"}
    assert grants == {("Role", "one", NAME), ("Role", "two", NAME), ("Role", "sys", f"{NAME}-leases")}
    (deployment,) = (m for m in manifests if m["kind"] == "Deployment")
    command = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[2:] == ["--namespace=one", "--namespace=two"]
    usable = install_manifests(world.namespace, "o:1", "a:1", watched=(world.namespace,))
    world.kubectl.run("apply", "--dry-run=server", "--filename=-", stdin=to_yaml(usable[1:]))


def test_an_old_definition_is_noticed_and_told(world: "World") -> None:
    file = ROOT / "crds" / "genai-auto.dev_genaiautos.yaml"
    definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    version = definition["spec"]["versions"][0]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["workshop"]
    world.apply()
    world.has("Ready", "False")
    try:
        world.kubectl.apply(json.dumps(definition))
        message = world.has("Degraded", "True", "CRDOutdated", within=30)["message"]
        assert message.startswith("the cluster's definition of GenAIAuto lacks spec.workshop: kubectl apply")
        assert "genai_operator_crd_outdated 1.0" in world.operator.get("/metrics")
    finally:
        world.kubectl.apply(file.read_text(encoding="utf-8"))
    world.has("Degraded", "False", within=30)
    assert world.kubectl.get("crd", DEFINITION_NAME) is not None


def test_every_line_of_a_reconcile_says_which(world: "World") -> None:
    world.apply()
    world.has("Ready", "False")
    mine = [line for line in world.operator.lines() if line.get("resource") == f"{world.namespace}/quickstart"]
    assert {line["event"] for line in mine} >= {"applied", "reconciled"}
    assert all(len(line["reconcile_id"]) == 8 for line in mine)


def test_the_heartbeat_is_the_works_own(world: "World") -> None:
    name = "genai_operator_heartbeat_timestamp_seconds"

    def beat() -> float:
        lines = world.operator.get("/metrics").splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    first = beat()
    assert abs(time.time() - first) < 30
    eventually(lambda: beat() > first, within=15)


@pytest.fixture
def start_alone(
    world: "World", make_namespaced_operator: Callable[..., "OperatorProcess"]
) -> Iterator[Callable[..., None]]:
    """Starts an operator with variables of its own, in the world's namespace; the one that others share has stopped.

    `lacks` is a right that its Role does not have: (resource, verb).
    """
    world.operator.stop()
    started: list[OperatorProcess] = []

    def start(lacks: tuple[str, str] = ("", ""), **variables: str) -> None:
        process = make_namespaced_operator(world, "alone", **variables)
        role = world.kubectl.get("role", NAME)
        role["rules"] = [
            {**rule, "resources": [name], "verbs": [verb for verb in rule["verbs"] if (name, verb) != lacks]}
            for rule in role["rules"]
            for name in rule["resources"]
        ]
        world.kubectl.run("replace", "--filename=-", stdin=json.dumps(role))
        started.append(process)
        process.start()

    yield start
    for process in started:
        assert process.stop() == 0
    world.operator.start()


@pytest.mark.parametrize(
    ("lacks", "condition", "asks"),
    [
        (("services", "patch"), "Degraded", 'cannot patch resource "services"'),
        (("secrets", "create"), "Degraded", 'cannot create resource "secrets"'),
        (("secrets", "get"), "ConfigurationValid", 'cannot get resource "secrets"'),
    ],
)
def test_a_missing_right_is_named_with_what_to_do(
    world: "World", start_alone: Callable[..., None], lacks: tuple[str, str], condition: str, asks: str
) -> None:
    start_alone(lacks)
    world.kubectl.run("create", "secret", "generic", "model", "--from-literal=api-key=x")
    world.apply(llm={"provider": "OpenAICompatible", "baseURL": "http://m/v1", "apiKeySecretRef": {"name": "model"}})
    message = world.has(condition, "True" if condition == "Degraded" else "False")["message"]
    assert asks in message
    assert "genai-auto-operator install-manifests | kubectl apply" in message
    grants = install_manifests(world.namespace, "none", "none", watched=(world.namespace,))
    world.kubectl.apply(to_yaml(manifest for manifest in grants if manifest["kind"] == "Role"))
    eventually(lambda: condition in world.conditions() and asks not in world.conditions()[condition]["message"], 20)


@contextmanager
def metrics_of_pods(samples: dict[str, float]) -> Iterator[int]:
    """Every pod whose address is 127.0.0.1 serves these samples, which may change, at the port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            chosen = parse_qs(urlsplit(self.path).query)["name[]"]
            lines = [f"{name} {value}" for name, value in samples.items() if name.partition("{")[0] in chosen]
            self.send_response(200)
            self.end_headers()
            self.wfile.write("".join(f"{line}\n" for line in lines).encode())

        def log_message(self, *_: object) -> None:
            """The test's output is not the place."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def bound_volume(world: "World", size: str) -> None:
    """What a provisioner would do: a class that can grow, and a volume for the claim."""
    name = world.namespace
    expansion = {"provisioner": "example.com/none", "allowVolumeExpansion": True}
    world.kubectl.apply(
        json.dumps({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, **expansion})
    )
    claim = {"namespace": name, "name": "data-quickstart-database-0"}
    spec = {"storageClassName": name, "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"],
            "claimRef": claim, "hostPath": {"path": "/nowhere"}}  # fmt: skip
    world.kubectl.apply(
        json.dumps({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})
    )


def test_what_the_api_says_becomes_conditions_and_a_volume_grows(
    world: "World", start_alone: Callable[..., None]
) -> None:
    samples = {"llm_reachable": 0.0, "database_size_bytes": 6.6 * 2**30, 'llm_budget_spent_dollars{period="hour"}': 1.5}
    with metrics_of_pods(samples) as port:
        start_alone(REPORT_PORT=str(port), REPORT_SECONDS="0.3")
        bound_volume(world, "10Gi")
        storage = {
            "size": "10Gi",
            "storageClassName": world.namespace,
            "autogrow": {"enabled": True, "maxSize": "12Gi"},
        }
        world.apply(
            llm={"provider": "OpenAICompatible", "baseURL": "http://m/v1"}, database={"managed": {"storage": storage}}
        )
        world.run_pods("database", "cache", "api")
        for kind in ("LLMReachable", "BudgetOK"):
            world.has(kind, "Unknown", "NotReported")
        address = {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}
        for pod in world.pods("api"):
            patch = ("--subresource=status", "--patch", json.dumps({"status": address}))
            world.kubectl.run("patch", "pod", pod["metadata"]["name"], *patch)
        assert "networkPolicy.llmEgress" in world.has("LLMReachable", "False", "Unreachable")["message"]
        world.has("BudgetOK", "True", "WithinBudget")
        assert world.resource()["status"]["llm"]["spentThisHourUSD"] == "1.50"

        world.has("StorageHealthy", "False", "Growing")
        claim = world.kubectl.get("pvc", "data-quickstart-database-0")
        assert claim["spec"]["resources"]["requests"]["storage"] == "12Gi"
        grown = ("--subresource=status", "--patch", json.dumps({"status": {"capacity": {"storage": "12Gi"}}}))
        world.kubectl.run("patch", "pvc", "data-quickstart-database-0", *grown)
        assert "about 70 % of 12Gi" in world.has("StorageHealthy", "True", "Enough")["message"]
        assert world.resource()["status"]["database"]["storage"] == "12Gi"

        samples["llm_reachable"] = 1.0
        world.has("LLMReachable", "True", "Reachable")
    world.kubectl.run("delete", "storageclass,persistentvolume", world.namespace, "--wait=false")
