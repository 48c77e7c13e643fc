"""The operator as a program: several of them, few rights, an old definition. Against a real API server."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

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
def without(
    world: "World", make_namespaced_operator: Callable[..., "OperatorProcess"]
) -> Iterator[Callable[[str, str], None]]:
    """Starts an operator that lacks one right in the world's namespace; the operator that others share has stopped."""
    world.operator.stop()
    started: list[OperatorProcess] = []

    def start(plural: str, verb: str) -> None:
        process = make_namespaced_operator(world, "lacking")
        role = world.kubectl.get("role", NAME)
        role["rules"] = [
            {**rule, "resources": [name], "verbs": [v for v in rule["verbs"] if (name, v) != (plural, verb)]}
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
    ("plural", "verb", "condition", "asks"),
    [
        ("services", "patch", "Degraded", 'cannot patch resource "services"'),
        ("secrets", "create", "Degraded", 'cannot create resource "secrets"'),
        ("secrets", "get", "ConfigurationValid", 'cannot get resource "secrets"'),
    ],
)
def test_a_missing_right_is_named_with_what_to_do(
    world: "World", without: Callable[[str, str], None], plural: str, verb: str, condition: str, asks: str
) -> None:
    without(plural, verb)
    world.kubectl.run("create", "secret", "generic", "model", "--from-literal=api-key=x")
    provider = {"provider": "OpenAICompatible", "baseURL": "http://m/v1", "apiKeySecretRef": {"name": "model"}}
    world.apply(llm=provider)
    message = world.has(condition, "True" if condition == "Degraded" else "False")["message"]
    assert asks in message
    assert "genai-auto-operator install-manifests | kubectl apply" in message
    grants = install_manifests(world.namespace, "none", "none", watched=(world.namespace,))
    world.kubectl.apply(to_yaml(manifest for manifest in grants if manifest["kind"] == "Role"))
    eventually(lambda: condition in world.conditions() and asks not in world.conditions()[condition]["message"], 20)
