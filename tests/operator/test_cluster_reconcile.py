"""The operator at work on a real API server; the tests play the kubelet."""

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genai_operator.api.status import Phase
from genai_operator.kinds import CHILDREN
from genai_operator.naming import MANAGED_BY
from genai_testbed.kubectl import Kubectl, KubectlError, Manifest
from genai_testbed.waiting import eventually

if TYPE_CHECKING:  # pytest imports test modules by path, so conftest.py is no module at run time
    from tests.operator.conftest import OperatorProcess, World

pytestmark = pytest.mark.cluster

DRIFT_SECONDS = 5.0
CONTAINER = {"name": "api", "image": "theirs", "ports": [{"name": "http", "containerPort": 1}]}
"""What somebody may make of the API's container with kubectl edit."""


def test_an_instance_comes_up_step_by_step(world: "World") -> None:
    world.apply()
    assert world.has("Ready", "False", "Starting")["message"] == (
        "DatabaseReady: waiting for pod quickstart-database-0 to be ready"
    )
    assert {kind: c["status"] for kind, c in world.conditions().items()} == {
        "Ready": "False", "Progressing": "True", "Degraded": "False", "ConfigurationValid": "True",
        "DatabaseReady": "False", "CacheReady": "False", "SchemaUpToDate": "False", "ApiAvailable": "False",
        "RolloutsPaused": "False", "Hibernated": "False", "Exposed": "Unknown", "CertificateReady": "Unknown",
        "MonitoringReady": "Unknown", "ProductionReady": "Unknown", "LLMReachable": "Unknown", "BudgetOK": "Unknown",
        "StorageHealthy": "False",
    }  # fmt: skip
    world.run_pods("database")
    world.has("DatabaseReady", "True", "Accepting")
    world.has("Ready", "False", "Migrating")
    world.run_pods("cache")
    world.has("CacheReady", "True")
    world.finish_job("migration")
    world.has("SchemaUpToDate", "True", "Migrated")
    world.has("Ready", "False", "Starting")
    world.run_pods("api")
    world.has("Ready", "False", "Seeding")
    world.finish_job("seed")
    assert world.has("Ready", "True", "Serving")["observedGeneration"] == 1
    status = world.resource()["status"]
    assert (status["phase"], status["version"], status["api"]["ready"]) == (Phase.READY, "1.0", "1/1")
    assert "Ready is True" in world.kubectl.run("events", "--for=genaiauto/quickstart")


def test_creating_costs_few_requests_and_an_unchanged_instance_none(world: "World") -> None:
    before = world.quiet()
    unusual = {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": "2000m", "memory": "8Gi"}}
    world.apply(database={"managed": {"resources": unusual, "storage": {"size": "2048Mi"}}})
    world.has("Ready", "False")
    created = world.quiet() - before
    assert created <= 24, "3 Secrets, 16 objects, and the first statuses"
    world.run_pods("database", "cache", "api")
    world.finish_job("migration")
    world.finish_job("seed")
    world.has("Ready", "True")
    settled = world.quiet()
    world.kubectl.run("annotate", "gai", "quickstart", "look=again")
    # Not the Deployment: its controller would look at the pods that this test only plays, and change its status.
    world.kubectl.run("annotate", "service", "quickstart-api", "look=again")
    assert world.quiet() == settled, world.operator.lines()[-12:]


def test_a_restart_writes_nothing(world: "World") -> None:
    world.bring_up()
    world.quiet()
    versions = resource_versions(world)
    assert world.operator.stop() == 0
    world.operator.start()
    eventually(lambda: "reconciles_total{" in world.operator.get("/metrics"), within=20)
    assert world.quiet() == 0
    assert resource_versions(world) == versions


def resource_versions(world: "World") -> dict[str, str]:
    """The resource versions of the instance and of all its children."""
    kinds = ",".join(["gai", *(kind.plural for kind in CHILDREN)])
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for item in world.kubectl.items(kinds)}  # fmt: skip


def test_a_port_that_somebody_gave_another_number_is_mended(world: "World") -> None:
    """The API server merges ports by number, so that an apply alone is refused."""
    world.bring_up()
    for kind, name, damage in (
        ("service", "quickstart-database", {"spec": {"ports": [{"name": "postgresql", "port": 1}]}}),
        ("deployment", "quickstart-api", {"spec": {"template": {"spec": {"containers": [CONTAINER]}}}}),
    ):
        wanted = world.kubectl.get(kind, name)["spec"]
        world.kubectl.run("patch", kind, name, "--type=merge", "--patch", json.dumps(damage))
        is_right = partial(has_spec, world, kind, name, wanted)
        eventually(is_right, within=DRIFT_SECONDS)


def has_spec(world: "World", kind: str, name: str, wanted: Manifest) -> bool:
    """Whether an object has a specification."""
    found: Manifest = world.kubectl.get(kind, name)["spec"]
    return found == wanted


def test_a_job_that_vanished_runs_again_and_a_loaded_knowledge_base_is_not_loaded_twice(world: "World") -> None:
    world.bring_up()
    jobs = {job["metadata"]["labels"]["app.kubernetes.io/component"]: job for job in world.kubectl.items("jobs")}
    migration = jobs["migration"]["metadata"]["name"]
    world.kubectl.run("delete", "job", migration)
    world.has("SchemaUpToDate", "False", "Migrating")
    world.finish_job("migration")
    world.has("Ready", "True")
    world.apply(version="2.0")
    world.finish_job("migration")
    eventually(lambda: world.kubectl.find("job", migration) is None, within=20)
    seeds = world.kubectl.items("jobs", "--selector=app.kubernetes.io/component=seed")
    assert [job["metadata"]["name"] for job in seeds] == [jobs["seed"]["metadata"]["name"]]


@pytest.mark.parametrize("name", ["quickstart-database", "quickstart-redis", "quickstart-auth"])
def test_a_lost_secret_is_made_anew_and_the_pods_that_use_it_roll(world: "World", name: str) -> None:
    world.apply()
    world.has("Ready", "False")
    before = templates(world)
    password = secret(world, name)
    world.kubectl.run("delete", "secret", name)
    eventually(lambda: world.kubectl.find("secret", name), within=DRIFT_SECONDS)
    assert secret(world, name) != password
    rolled = {"quickstart-database": {"quickstart-api", "quickstart-database"},
              "quickstart-redis": {"quickstart-api", "quickstart-redis"},
              "quickstart-auth": {"quickstart-api"}}[name]  # fmt: skip
    eventually(lambda: {n for n, t in templates(world).items() if t != before[n]} == rolled, within=DRIFT_SECONDS)


def templates(world: "World") -> dict[str, Manifest]:
    """The pod templates of what runs for ever."""
    return {
        item["metadata"]["name"]: item["spec"]["template"] for item in world.kubectl.items("deployments,statefulsets")
    }


def secret(world: "World", name: str) -> dict[str, str]:
    """The values of a Secret."""
    data = world.kubectl.get("secret", name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_a_password_chosen_beforehand_is_used(world: "World") -> None:
    world.kubectl.run("create", "secret", "generic", "quickstart-redis", "--from-literal=password=mine")
    world.apply()
    world.has("Ready", "False")
    assert secret(world, "quickstart-redis") == {"password": "mine"}
    world.kubectl.run("label", "secret", "quickstart-redis", "app.kubernetes.io/managed-by-")
    eventually(lambda: MANAGED_BY in world.kubectl.get("secret", "quickstart-redis")["metadata"]["labels"], within=5)
    assert secret(world, "quickstart-redis") == {"password": "mine"}
    assert not owned(world, "secret", "quickstart-redis")


def test_kubectl_scale_works_and_replicas_have_a_manager_of_their_own(world: "World") -> None:
    world.bring_up()
    world.kubectl.run("scale", "gai/quickstart", "--replicas=2")
    eventually(lambda: len(world.pods("api")) == 2, within=10)
    assert world.has("Ready", "False", "RollingOut")["message"].startswith("waiting for the newest pods")
    world.run_pods("api")
    world.has("Ready", "True")
    text = world.kubectl.run("get", "deployment", "quickstart-api", "--show-managed-fields", "--output=json")
    fields = json.loads(text)["metadata"]["managedFields"]
    owners = {entry["manager"] for entry in fields if "f:replicas" in entry["fieldsV1"].get("f:spec", {})}
    assert owners == {"genai-auto-operator-scale"}
    world.kubectl.run("scale", "gai/quickstart", "--replicas=0")
    world.has("ApiAvailable", "False", "ScaledToZero")
    assert world.resource()["status"]["phase"] == Phase.STOPPED


def test_retained_data_outlives_the_resource_and_is_adopted(world: "World") -> None:
    world.bring_up()
    password = secret(world, "quickstart-database")
    claim = world.kubectl.get("pvc", "data-quickstart-database-0")["metadata"]["uid"]
    world.kubectl.run("delete", "gai", "quickstart")
    eventually(lambda: not world.kubectl.items("deployments,statefulsets,services,jobs"), within=30)
    eventually(lambda: world.kubectl.find("secret", "quickstart-auth") is None, within=10)
    world.apply()
    world.has("Ready", "False")
    assert secret(world, "quickstart-database") == password
    assert world.kubectl.get("pvc", "data-quickstart-database-0")["metadata"]["uid"] == claim


def test_with_delete_everything_goes_even_when_the_policy_changed_late(world: "World") -> None:
    world.bring_up()
    world.apply(deletionPolicy="Delete")
    eventually(lambda: owned(world, "secret", "quickstart-database"), within=10)
    eventually(lambda: owned(world, "pvc", "data-quickstart-database-0"), within=10)
    world.kubectl.run("delete", "gai", "quickstart")
    eventually(lambda: not world.kubectl.items("deployments,statefulsets,services,jobs,secrets"), within=30)
    # Without a node nobody ends the pod that uses the claim, so it stays in deletion.
    eventually(lambda: gone_or_going(world, "pvc", "data-quickstart-database-0"), within=30)


def owned(world: "World", kind: str, name: str) -> bool:
    """Whether the garbage collector will take an object along."""
    return "ownerReferences" in world.kubectl.get(kind, name)["metadata"]


def gone_or_going(world: "World", kind: str, name: str) -> bool:
    """Whether an object is deleted, or about to be."""
    found = world.kubectl.find(kind, name)
    return found is None or "deletionTimestamp" in found["metadata"]


def test_a_new_version_serves_only_after_its_migration(world: "World") -> None:
    world.bring_up()
    world.apply(version="2.0")
    world.has("Ready", "False", "Migrating")
    assert image(world) == "genai-auto/app:1.0"
    assert world.has("Progressing", "True")
    assert world.conditions()["ApiAvailable"]["status"] == "True"
    assert world.resource()["status"]["version"] == "1.0"
    world.finish_job("migration")
    eventually(lambda: image(world) == "genai-auto/app:2.0", within=10)
    eventually(lambda: len(world.pods("api")) == 2, within=10)
    world.run_pods("api")
    world.has("Ready", "True")
    assert world.resource()["status"]["version"] == "2.0"


def image(world: "World") -> str:
    """What the API runs."""
    spec = world.kubectl.get("deployment", "quickstart-api")["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


def test_an_image_that_cannot_be_pulled_is_named(world: "World") -> None:
    world.apply()
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    world.set_pods("database", "Pending", {"state": {"waiting": waiting}})
    message = world.has("DatabaseReady", "False", "ImageMissing")["message"]
    assert message == (
        "pgvector/pgvector:pg17 cannot be pulled (ImagePullBackOff): check the image's name, "
        "and imagePullSecrets if it is private"
    )
    assert world.resource()["status"]["phase"] == Phase.DEGRADED
    assert "Degraded is True" in world.kubectl.run("events", "--for=genaiauto/quickstart")
    world.run_pods("database")
    world.has("Degraded", "False")


def test_a_quota_and_a_missing_storage_class_are_explained(world: "World") -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    world.kubectl.apply(json.dumps(quota))
    world.apply()
    message = world.has("Degraded", "True", "PodNotCreated", within=40)["message"]
    assert "exceeded quota: none" in message
    world.kubectl.run("delete", "quota", "none")
    message = world.has("DatabaseReady", "False", "VolumePending", within=60)["message"]
    assert "no storage class is set; check database.managed.storage.storageClassName" in message


def test_a_missing_secret_is_named_with_its_field_and_noticed_when_it_is_made(world: "World") -> None:
    world.apply(llm={"provider": "OpenRouter", "apiKeySecretRef": {"name": "router"}})
    message = world.has("ConfigurationValid", "False")["message"]
    assert message == (
        "llm.apiKeySecretRef: there is no Secret router: kubectl create secret generic router --from-literal=api-key=…"
    )
    assert not world.kubectl.items("deployments")
    world.kubectl.run("create", "secret", "generic", "router", "--from-literal=api-key=k")
    world.has("ConfigurationValid", "True", within=DRIFT_SECONDS)
    eventually(lambda: world.kubectl.items("deployments"), within=5)


def test_a_changed_secret_of_a_person_rolls_the_api_and_a_bad_one_is_refused_while_it_serves_on(world: "World") -> None:
    key = "0123456789abcdef0123456789abcdef"
    world.kubectl.run("create", "secret", "generic", "mine", f"--from-literal=jwt-secret-key={key}")
    reference = {"auth": {"jwtSecretRef": {"name": "mine"}}}
    world.apply(**PRODUCTION, **reference)
    world.run_pods("database", "cache", "api")
    world.finish_job("migration")
    world.finish_job("seed")
    world.has("Ready", "True")
    before, settled = templates(world), world.quiet()

    change_secret(world, "mine", {"jwt-secret-key": key.upper()})
    changed = {"quickstart-api"}
    eventually(lambda: {n for n, t in templates(world).items() if t != before[n]} == changed, within=DRIFT_SECONDS)
    assert world.quiet() - settled <= 4, "the Deployment, the status that it rolls, an event"

    serving = templates(world)
    change_secret(world, "mine", {"jwt-secret-key": "short"})
    message = world.has("ConfigurationValid", "False", within=DRIFT_SECONDS)["message"]
    assert message.startswith("auth.jwtSecretRef: the value of jwt-secret-key in Secret mine has 5 characters")
    world.kubectl.run("delete", "secret", "mine")
    eventually(lambda: "there is no Secret mine" in world.has("ConfigurationValid", "False")["message"], DRIFT_SECONDS)
    assert templates(world) == serving


PRODUCTION = {
    "environment": "Production",
    "llm": {"provider": "OpenAICompatible", "baseURL": "http://models.example/v1"},
}


def change_secret(world: "World", name: str, values: dict[str, str]) -> None:
    """Give a Secret other values, as a person does."""
    world.kubectl.run("patch", "secret", name, "--type=merge", "--patch", json.dumps({"stringData": values}))


def test_an_administrator_is_made_once_and_the_password_is_kept(world: "World") -> None:
    world.apply(auth={"adminEmail": "boss@example.com"})
    world.run_pods("database", "cache", "api")
    world.finish_job("migration")
    world.finish_job("seed")
    world.has("Ready", "False", "CreatingAdmin")
    password = secret(world, "quickstart-admin")["password"]
    assert len(password) == 64
    world.finish_job("admin")
    world.has("Ready", "True")
    (job,) = world.kubectl.items("jobs", "--selector=app.kubernetes.io/component=admin")
    world.apply(auth={"adminEmail": ""})
    world.has("Ready", "True")
    world.apply(auth={"adminEmail": "boss@example.com"})
    world.has("Ready", "True")
    again = world.kubectl.items("jobs", "--selector=app.kubernetes.io/component=admin")
    assert [item["metadata"]["uid"] for item in again] == [job["metadata"]["uid"]]
    assert secret(world, "quickstart-admin") == {"password": password}


def test_the_wide_table_says_who_answers(world: "World") -> None:
    world.apply()
    world.has("Ready", "False")
    header, row = world.kubectl.run("get", "gai", "--output=wide").splitlines()
    assert row[header.index("MODEL") :].startswith("offline ")


def test_an_object_of_somebody_else_is_left_alone_and_told(world: "World") -> None:
    world.kubectl.run("create", "deployment", "quickstart-redis", "--image=theirs:1")
    world.apply()
    message = world.has("Degraded", "True", "Refused")["message"]
    assert "Deployment quickstart-redis: it exists and does not belong to this resource" in message
    theirs = world.kubectl.get("deployment", "quickstart-redis")["spec"]["template"]["spec"]["containers"]
    assert [container["image"] for container in theirs] == ["theirs:1"]


def test_switching_redis_off_removes_it(world: "World") -> None:
    world.bring_up()
    world.apply(redis={"mode": "Disabled"})
    eventually(lambda: world.kubectl.find("deployment", "quickstart-redis") is None, within=10)
    eventually(lambda: world.kubectl.find("service", "quickstart-redis") is None, within=10)
    eventually(lambda: world.kubectl.find("secret", "quickstart-redis") is None, within=10)
    world.has("CacheReady", "Unknown", "NotConfigured")
    assert world.kubectl.find("statefulset", "quickstart-database") is not None


def test_a_namespaced_operator_needs_no_right_beyond_its_namespace(
    world: "World", make_namespaced_operator: Callable[["World"], "OperatorProcess"]
) -> None:
    world.apply()
    world.has("Ready", "False")
    local = make_namespaced_operator(world)
    local.start()
    eventually(lambda: "reconciles_total{" in local.get("/metrics"), within=10)
    assert 'status="403"' not in local.get("/metrics")
    assert local.stop() == 0
    with pytest.raises(KubectlError, match="forbidden"):
        Kubectl(local.kubeconfig, "default").run("get", "secrets")


def test_its_memory_stays_small(world: "World") -> None:
    world.bring_up()
    assert world.operator.process is not None
    text = Path(f"/proc/{world.operator.process.pid}/status").read_text(encoding="utf-8")
    status = dict(line.split(":", 1) for line in text.splitlines())
    assert int(status["VmRSS"].split()[0]) / 1024 <= 120
