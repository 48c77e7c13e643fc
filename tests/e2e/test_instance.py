"""From `kubectl apply` to an answer from real data, and what happens when parts are killed, edited or deleted."""

import json

import httpx2
import pytest

from genai_operator.naming import APP_NAME, LEASE_NAME, OPERATOR_NAME
from genai_testbed.deployment import OPERATOR, OPERATOR_NAMESPACE
from genai_testbed.instance import Instance
from genai_testbed.kubectl import Kubectl, KubectlError, Manifest
from genai_testbed.tour import QUESTION
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.node

CONDITIONS = {
    "Ready", "Progressing", "Degraded", "ConfigurationValid",
    "DatabaseReady", "CacheReady", "SchemaUpToDate", "ApiAvailable",
}  # fmt: skip


def test_an_applied_resource_becomes_ready(instance: Instance) -> None:
    status = instance.resource["status"]
    turned = {condition["type"]: condition["status"] for condition in status["conditions"]}
    assert turned.keys() >= CONDITIONS
    assert {kind for kind, value in turned.items() if value == "True"} >= CONDITIONS - {"Progressing", "Degraded"}
    assert turned["Progressing"] == turned["Degraded"] == "False"
    assert instance.kubectl.run("wait", "--for=condition=Ready", f"genaiauto/{instance.name}", "--timeout=5s")


def test_a_person_reads_the_state_at_a_glance(instance: Instance) -> None:
    table = instance.kubectl.run("get", "gai").splitlines()
    assert table[0].split() == ["NAME", "PHASE", "READY", "API", "VERSION", "URL", "AGE"]
    assert table[1].split()[:4] == ["quickstart", "Ready", "True", "1/1"]
    assert "replicas" in instance.kubectl.run("explain", "gai.spec.api")


def test_the_answer_comes_from_the_right_source(instance: Instance) -> None:
    with instance.conversation() as talk:
        reply = talk.say(QUESTION)
    assert "5W-30" in reply["response"]
    assert "API SN" in reply["response"]
    assert "10,000 km" in reply["response"]
    assert "12 months" in reply["response"]
    assert {source["source"] for source in reply["sources"]} & {
        "specs_genautox1_2024.md", "maintenance_guide_genautox1.md"
    }  # fmt: skip


def test_the_second_turn_remembers_the_first(instance: Instance) -> None:
    with instance.conversation() as talk:
        talk.say("Which engine oil does the GenAuto X1 take?")
        reply = talk.say("And how often must it be changed?")
        assert "10,000 km" in reply["response"]
        assert len(talk.history()) == 4


def test_two_replicas_serve_the_same_session(instance: Instance) -> None:
    instance.kubectl.run("scale", f"gai/{instance.name}", "--replicas=2")
    instance.ready()
    try:
        first, second = (f"pod/{pod['metadata']['name']}" for pod in instance.pods("api"))
        with instance.conversation(target=first) as talk:
            talk.say("Which engine oil does the GenAuto X1 take?")
        with instance.conversation(talk.session_id, target=second) as other:
            assert "10,000 km" in other.say("And how often must it be changed?")["response"]
            assert len(other.history()) == 4
    finally:
        instance.kubectl.run("scale", f"gai/{instance.name}", "--replicas=1")
        instance.ready()


def test_killing_the_database_loses_nothing_that_was_acknowledged(instance: Instance) -> None:
    with instance.conversation() as talk:
        for question in ("How many airbags does it have?", "How big is the boot?"):
            talk.say(question)
        kept = talk.history()
    (pod,) = instance.pods("database")
    instance.kubectl.run("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")
    eventually(lambda: [p for p in instance.pods("database") if p["metadata"]["uid"] != pod["metadata"]["uid"]], 60)
    instance.ready()
    with instance.conversation(talk.session_id) as again:
        assert again.history() == kept
        assert again.say("And the fuel tank?")["response"]


def test_killing_the_cache_does_not_stop_the_conversation(instance: Instance) -> None:
    with instance.conversation() as talk:
        (pod,) = instance.pods("cache")
        instance.kubectl.run("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")
        assert "5W-30" in talk.say(QUESTION)["response"]
    instance.ready()


def test_a_deleted_deployment_comes_back(instance: Instance) -> None:
    name = f"{instance.name}-api"
    before = instance.kubectl.get("deployment", name)["metadata"]["uid"]
    instance.kubectl.run("delete", "deployment", name)
    eventually(lambda: uid_of(instance.kubectl.find("deployment", name)) not in {None, before}, within=10)
    instance.ready()


def test_an_edited_child_is_repaired_and_foreign_annotations_stay(instance: Instance) -> None:
    name = f"service/{instance.name}-api"
    instance.kubectl.run("annotate", name, "team.example.com/owner=night-shift")
    instance.kubectl.run("patch", name, "--type=merge", '--patch={"spec":{"selector":{"app.kubernetes.io/name":"no"}}}')

    def repaired() -> bool:
        selector: dict[str, str] = instance.kubectl.get(name)["spec"]["selector"]
        return selector["app.kubernetes.io/name"] != "no"

    eventually(repaired, within=10)
    assert instance.kubectl.get(name)["metadata"]["annotations"]["team.example.com/owner"] == "night-shift"
    instance.kubectl.run("annotate", name, "team.example.com/owner-")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "Production needs llm.apiKeySecretRef"),
        ({"environment": "Prod"}, 'supported values: "Development", "Staging", "Production"'),
        ({"environment": "Development", "api": {"replicas": 101}}, "less than or equal to 100"),
        ({"environment": "Development", "apii": {}}, "unknown field"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_to_write(instance: Instance, spec: Manifest, says: str) -> None:
    wrong = {"apiVersion": "genai-auto.dev/v1alpha1", "kind": "GenAIAuto", "metadata": {"name": "wrong"}, "spec": spec}
    with pytest.raises(KubectlError) as refused:
        instance.kubectl.run("create", "--filename=-", stdin=json.dumps(wrong))
    assert says in str(refused.value)


def test_a_restarted_operator_writes_nothing(instance: Instance, platform: Kubectl) -> None:
    instance.ready()
    for settled in ("Degraded", "Progressing"):  # after whatever other tests have broken
        instance.kubectl.run("wait", f"--for=condition={settled}=False", "gai/quickstart", "--timeout=60s")
    instance.kubectl.run("wait", "--for=condition=StorageHealthy", "gai/quickstart", "--timeout=60s")  # a pod was asked
    operator = platform.within(OPERATOR_NAMESPACE)
    before = versions(instance)
    old = {pod["metadata"]["name"] for pod in operator.items("pods")}
    operator.run("rollout", "restart", OPERATOR)
    operator.run("rollout", "status", OPERATOR, "--timeout=90s")
    new = {pod["metadata"]["name"] for pod in operator.items("pods")} - old

    def reconciled() -> str:
        """What the one that works says of itself, when it is one of the new ones."""
        holder = operator.get("lease", LEASE_NAME)["spec"]["holderIdentity"]
        if holder not in new:
            return ""
        with operator.forwarded(f"pod/{holder}", 8080) as port:
            text = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).raise_for_status().text
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        done = sum(float(line.split()[-1]) for line in lines if line.startswith("genai_operator_reconciles_total"))
        return text if done else ""

    metrics = eventually(reconciled, within=60)
    said = ("logs", f"--selector={APP_NAME}={OPERATOR_NAME}", "--tail=40", "--prefix")
    assert written(metrics) == 0, operator.run(*said)
    assert versions(instance) == before


def written(metrics: str) -> float:
    """Requests that change something, from the operator's own count."""
    lines = [line for line in metrics.splitlines() if line.startswith("genai_operator_kubernetes_requests_total")]
    assert lines, "the operator counts its API requests"
    looks_and_leases = ('method="GET"', 'method="PUT"')  # nothing but the Lease is ever replaced as a whole
    return sum(float(line.split()[-1]) for line in lines if not any(method in line for method in looks_and_leases))


def versions(instance: Instance) -> dict[str, str]:
    """The resourceVersion of the resource and of every child: a write changes it."""
    objects = instance.kubectl.items(
        "genaiauto,configmap,secret,service,serviceaccount,deployment,statefulset,job",
    )
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in objects}


def uid_of(manifest: Manifest | None) -> str | None:
    return manifest["metadata"]["uid"] if manifest else None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"message": ""}', 422),
        (b'{"message": "\\u0000"}', 422),
        (b'{"message": "\\ud800"}', 422),
        (json.dumps({"message": "x" * 8001}).encode(), 422),
        (b"[]", 422),
    ],
)
def test_bad_input_is_answered_with_a_typed_problem(instance: Instance, body: bytes, status: int) -> None:
    with instance.conversation() as talk:
        reply = talk.client.post("/api/v1/chat", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "request_id"}
    assert problem["status"] == status
    assert "Traceback" not in reply.text


def test_nobody_gets_in_without_a_token(instance: Instance) -> None:
    with instance.http() as client:
        reply = client.post("/api/v1/chat", json={"message": "hello"})
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_deleted_instance_keeps_its_volume_and_comes_back_with_its_conversations(instance: Instance) -> None:
    with instance.conversation() as talk:
        talk.say(QUESTION)
        kept = talk.history()
    manifest = instance.kubectl.get("genaiauto", instance.name)
    instance.kubectl.run("delete", "genaiauto", instance.name)
    eventually(lambda: not instance.kubectl.items("deployment,statefulset,service,job,configmap,pod", OURS), within=60)
    assert [claim["status"]["phase"] for claim in instance.kubectl.items("persistentvolumeclaim")] == ["Bound"]

    instance.kubectl.apply(json.dumps({key: manifest[key] for key in ("apiVersion", "kind", "spec")} | named(instance)))
    instance.ready()
    with instance.conversation(talk.session_id) as again:
        assert again.history() == kept


OURS = "--selector=app.kubernetes.io/managed-by=genai-auto-operator"


def named(instance: Instance) -> Manifest:
    return {"metadata": {"name": instance.name}}
