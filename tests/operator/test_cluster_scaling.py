"""Who decides how many pods there are: on a real API server with the real autoscaler's controller."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from genai_operator.api.status import Phase
from genai_operator.naming import COMPONENT, PAUSE_ROLLOUTS, RECONCILE, RESTARTED_AT, Component
from genai_testbed.waiting import eventually

if TYPE_CHECKING:  # pytest imports test modules by path, so conftest.py is no module at run time
    from tests.operator.conftest import World

pytestmark = pytest.mark.cluster

AUTOSCALED = {"autoscaling": {"mode": "Enabled", "minReplicas": 2, "maxReplicas": 5}}
MANUAL = {"autoscaling": {"mode": "Disabled"}}
HPA, SCALED_OBJECT = "hpa", "scaledobjects.keda.sh"


def replicas(world: "World", name: str = "quickstart-api") -> int:
    return int(world.kubectl.get("deployment", name)["spec"]["replicas"])


@contextmanager
def recorded(world: "World") -> Iterator[list[int]]:
    """Every number of replicas that the API's Deployment ever asks for, complete when the block has ended."""
    command = world.kubectl.command("get", "deployment", "quickstart-api", "--watch", "--output=json")
    seen: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        try:
            yield seen
        finally:
            world.kubectl.run("annotate", "deployment", "quickstart-api", "end=here")
            assert watch.stdout is not None
            for item in documents(watch.stdout):
                seen.append(item["spec"]["replicas"])
                if "end" in item["metadata"]["annotations"]:
                    break
            watch.terminate()


def documents(lines: Iterator[str]) -> Iterator[dict]:  # type: ignore[type-arg]  # any object
    """The JSON documents that follow each other in a text."""
    text = ""
    for line in lines:
        text += line
        if line == "}\n":
            yield json.loads(text)
            text = ""


def test_handing_over_to_an_autoscaler_and_back_never_dips(world: "World") -> None:
    world.bring_up(api={"replicas": 3, **MANUAL})
    with recorded(world) as seen:
        world.apply(api=AUTOSCALED)
        hpa = eventually(lambda: world.kubectl.find(HPA, "quickstart-api"), within=10)
        assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (2, 5)
        eventually(lambda: world.kubectl.get(HPA, "quickstart-api").get("status"), within=60)
        world.kubectl.run("scale", "deployment", "quickstart-api", "--replicas=4")  # as the autoscaler does
        world.quiet()
        assert replicas(world) == 4
        world.apply(api={"replicas": 3, **MANUAL})
        eventually(lambda: world.kubectl.find(HPA, "quickstart-api") is None, within=10)
        eventually(lambda: replicas(world) == 3, within=10)
    assert set(seen) == {3, 4}
    effective = eventually(lambda: world.resource()["status"].get("effective"), within=10)
    assert (effective["autoscaler"], effective["minReplicas"], effective["maxReplicas"]) == ("None", 3, 3)


def test_an_autoscaled_api_begins_with_the_fewest_pods_and_kubectl_scale_is_answered(world: "World") -> None:
    world.apply(profile="Medium")
    eventually(lambda: world.kubectl.find(HPA, "quickstart-api"), within=10)
    assert replicas(world) == 2
    world.has("Ready", "False")
    world.kubectl.run("scale", "gai/quickstart", "--replicas=7")
    events = eventually(
        lambda: [e for e in world.kubectl.items("events") if e.get("reason") == "ScaleIgnored"], within=10
    )
    (note,) = {event["message"] for event in events}
    assert "api.replicas 7 does not count while autoscaling is on: HPA keeps 2 to 3 pods" in note
    assert replicas(world) == 2


def test_keda_takes_over_when_it_appears_and_gives_back_when_it_goes(
    world: "World", install_crds: Callable[[str], None]
) -> None:
    world.bring_up(api={"autoscaling": {"mode": "Enabled", "engine": "KEDA", "minReplicas": 2}})
    eventually(lambda: world.kubectl.find(HPA, "quickstart-api"), within=10)
    with recorded(world) as seen:
        install_crds("keda")
        eventually(lambda: world.kubectl.find(HPA, "quickstart-api") is None, within=30)
        spec = world.kubectl.get(SCALED_OBJECT, "quickstart-api")["spec"]
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 3)
        assert world.resource()["status"]["effective"]["autoscaler"] == "KEDA"
        world.kubectl.run(
            "patch", SCALED_OBJECT, "quickstart-api", "--type=merge", '--patch={"spec":{"maxReplicaCount":9}}'
        )
        eventually(lambda: world.kubectl.get(SCALED_OBJECT, "quickstart-api")["spec"]["maxReplicaCount"] == 3, within=5)
        world.kubectl.run("delete", "crd", SCALED_OBJECT)
        eventually(lambda: world.kubectl.find(HPA, "quickstart-api"), within=30)
    assert set(seen) == {2}


def test_hibernation_stops_everything_and_keeps_the_data(world: "World") -> None:
    world.bring_up(api={"replicas": 2})
    claim = world.kubectl.get("pvc", "data-quickstart-database-0")["metadata"]["uid"]
    password = world.kubectl.get("secret", "quickstart-database")["data"]
    world.apply(state="Hibernated")
    message = world.has("Hibernated", "True")["message"]
    assert "set state to Running" in message
    assert not [pod for pod in world.kubectl.items("pods") if pod["status"]["phase"] == "Running"]
    assert (world.conditions()["Ready"]["reason"], world.conditions()["DatabaseReady"]["reason"]) == ("Hibernated",) * 2
    assert world.resource()["status"]["phase"] == Phase.HIBERNATED
    world.apply(state="Running")
    world.run_pods("database", "cache", "api")
    world.finish_job("migration")
    world.has("Ready", "True")
    assert replicas(world) == 2
    assert world.kubectl.get("pvc", "data-quickstart-database-0")["metadata"]["uid"] == claim
    assert world.kubectl.get("secret", "quickstart-database")["data"] == password


def test_paused_rollouts_wait_and_drift_is_mended_all_the_same(world: "World") -> None:
    world.bring_up()
    before = {pod["metadata"]["name"] for pod in world.pods("api")}
    world.annotate(f"{PAUSE_ROLLOUTS}=true")
    world.has("RolloutsPaused", "True")
    world.apply(api={"logLevel": "ERROR"})
    assert "quickstart-api is to change" in world.has("Ready", "False", "RolloutsPaused")["message"]
    world.kubectl.run("delete", "service", "quickstart-api")
    eventually(lambda: world.kubectl.find("service", "quickstart-api"), within=5)
    assert {pod["metadata"]["name"] for pod in world.pods("api")} == before
    world.annotate(f"{PAUSE_ROLLOUTS}-")
    eventually(lambda: {pod["metadata"]["name"] for pod in world.pods("api")} - before, within=10)
    world.run_pods("api")
    world.has("Ready", "True")


def test_a_change_waits_for_the_maintenance_window(world: "World") -> None:
    world.bring_up()
    before = {pod["metadata"]["name"] for pod in world.pods("api")}
    now = datetime.now(UTC)
    closed = [{"start": f"{(now.hour + 12) % 24:02}:00", "durationMinutes": 60}]
    world.apply(maintenanceWindows=closed, api={"logLevel": "ERROR"})
    opening = (now + timedelta(hours=12)).replace(minute=0, second=0)
    assert f"before {opening:%Y-%m-%d %H:%M} UTC" in world.has("Ready", "False", "RolloutsPaused")["message"]
    world.has("RolloutsPaused", "True", "OutsideMaintenanceWindow")
    world.apply(maintenanceWindows=closed, version="9.9", api={"logLevel": "ERROR"})
    world.has("SchemaUpToDate", "False", "OutsideMaintenanceWindow")
    assert {pod["metadata"]["name"] for pod in world.pods("api")} == before
    migrations = world.kubectl.items("jobs", f"--selector={COMPONENT}={Component.MIGRATION.value}")
    assert not [job for job in migrations if "9.9" in json.dumps(job["spec"])]
    world.apply(maintenanceWindows=[{"start": f"{now.hour:02}:00", "durationMinutes": 1440}], version="9.9")
    world.finish_job("migration")
    eventually(lambda: {pod["metadata"]["name"] for pod in world.pods("api")} - before, within=10)


def test_a_migration_by_hand_needs_no_job(world: "World") -> None:
    world.apply(database={"migrations": {"mode": "Manual"}})
    world.run_pods("database", "cache")
    eventually(lambda: world.pods("api"), within=20)
    assert "genai-auto migrate" in world.has("SchemaUpToDate", "False", "ManualMigration")["message"]
    assert not world.kubectl.items("jobs", f"--selector={COMPONENT}={Component.MIGRATION.value}")
    world.run_pods("api")
    world.finish_job("seed")
    world.has("Ready", "True")
    world.apply(version="9.9")
    newest = eventually(lambda: [p for p in world.pods("api") if "9.9" in json.dumps(p["spec"])], within=20)
    assert len(world.pods("api")) == 2
    assert newest[0]["metadata"]["name"] in world.has("SchemaUpToDate", "False", "ManualMigration")["message"]
    world.run_pods("api")
    world.has("Ready", "True")


def test_a_restart_by_annotation_replaces_the_pods_of_the_api(world: "World") -> None:
    world.bring_up()
    before = {pod["metadata"]["name"] for pod in world.pods("api")}
    world.annotate(f"{RESTARTED_AT}=2026-11-26T12:00:00Z")
    eventually(lambda: {pod["metadata"]["name"] for pod in world.pods("api")} - before, within=10)


def test_a_disabled_reconcile_changes_nothing_and_says_so(world: "World") -> None:
    world.bring_up()
    world.annotate(f"{RECONCILE}=disabled")
    assert RECONCILE in world.has("Ready", "Unknown", "ReconcileDisabled")["message"]
    assert world.resource()["status"]["phase"] == Phase.DISABLED
    world.kubectl.run("delete", "service", "quickstart-redis")
    world.apply(api={"replicas": 3})
    world.has("Ready", "Unknown", "ReconcileDisabled")  # of the new generation
    assert world.kubectl.find("service", "quickstart-redis") is None
    assert replicas(world) == 1
    world.annotate(f"{RECONCILE}-")
    eventually(lambda: world.kubectl.find("service", "quickstart-redis"), within=5)
    eventually(lambda: replicas(world) == 3, within=5)
