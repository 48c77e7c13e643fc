"""The real autoscaler with real figures: it takes the API over, and gives it back, without a dip."""

import json

import pytest

from genai_testbed.instance import Instance
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.node

DEPLOYMENT = "quickstart-api"


def change(instance: Instance, **api: object) -> None:
    """Change a part of spec.api, as kubectl patch does."""
    patch = json.dumps({"spec": {"api": api}})
    instance.kubectl.run("patch", "gai", instance.name, "--type=merge", "--patch", patch)


def replicas(instance: Instance) -> int:
    return int(instance.kubectl.get("deployment", DEPLOYMENT)["spec"]["replicas"])


def test_load_adds_pods_and_switching_autoscaling_off_keeps_them(instance: Instance) -> None:
    busy = {"mode": "Enabled", "minReplicas": 1, "maxReplicas": 2, "targetCPUPercent": 1}
    change(instance, autoscaling=busy)
    try:
        eventually(lambda: replicas(instance) == 2, within=150)  # even an idle process takes more than 1 %
        hpa = instance.kubectl.get("hpa", DEPLOYMENT)
        (metric,) = hpa["status"]["currentMetrics"]
        assert metric["resource"]["current"]["averageUtilization"] >= 1
        instance.ready(within=120)
        generation = instance.kubectl.get("deployment", DEPLOYMENT)["metadata"]["generation"]
        change(instance, autoscaling={"mode": "Disabled"}, replicas=2)
        eventually(lambda: instance.kubectl.find("hpa", DEPLOYMENT) is None, within=20)
        instance.ready(within=120)
        after = instance.kubectl.get("deployment", DEPLOYMENT)
        assert after["spec"]["replicas"] == 2
        assert after["metadata"]["generation"] == generation, "nothing has touched it, so it cannot have dipped"
    finally:
        default = {"mode": "Auto", "minReplicas": 0, "maxReplicas": 0, "targetCPUPercent": 70}
        change(instance, autoscaling=default, replicas=1)
        instance.ready(within=120)
