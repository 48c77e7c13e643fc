"""Autoscaler, disruption budget, rollout and scheduling of the API's pods."""

from typing import Any

import pytest
from tests.operator.test_desired import IMAGES, build, one, resource

from genai_operator.desired.context import from_registry
from genai_operator.kinds import SCALED_OBJECT
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import PAUSE_ROLLOUTS, RESTARTED_AT

KEDA = frozenset({SCALED_OBJECT.name})


def api(**spec: Any) -> Manifest:
    return one(build(resource(**spec)), "Deployment", "demo-api")


def pod(**spec: Any) -> Manifest:
    found: Manifest = api(**spec)["spec"]["template"]["spec"]
    return found


def kinds(manifests: tuple[Manifest, ...]) -> set[str]:
    return {manifest["kind"] for manifest in manifests}


def annotated(annotations: dict[str, str], **spec: Any) -> tuple[Manifest, ...]:
    app = resource(**spec)
    return build(app.model_copy(update={"metadata": app.metadata.model_copy(update={"annotations": annotations})}))


def test_small_has_neither_autoscaler_nor_budget() -> None:
    assert not kinds(build(resource())) & {"HorizontalPodAutoscaler", "ScaledObject", "PodDisruptionBudget"}


def test_an_hpa_has_the_bounds_of_the_profile_and_the_targets_of_the_spec() -> None:
    targets = {"targetCPUPercent": 60, "targetMemoryPercent": 80, "targetInProgressRequests": 20}
    manifests = build(resource(profile="Medium", api={"autoscaling": targets}))
    spec = one(manifests, "HorizontalPodAutoscaler", "demo-api")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 3)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo-api"}
    goals = {dig(m, "resource", "name") or dig(m, "pods", "metric", "name"): m for m in spec["metrics"]}
    assert goals["cpu"]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    assert goals["memory"]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}
    assert goals["requests_in_progress"]["pods"]["target"] == {"type": "AverageValue", "averageValue": "20"}


def test_keda_scales_where_it_is_installed_and_never_both() -> None:
    wish = {"engine": "KEDA", "targetInProgressRequests": 9, "prometheusURL": "http://prometheus:9090"}
    app = resource(profile="Large", api={"autoscaling": wish})
    with_keda = build(app, served=KEDA)
    spec = one(with_keda, "ScaledObject", "demo-api")["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (4, 8)
    assert spec["scaleTargetRef"]["name"] == "demo-api"
    (prometheus,) = (t["metadata"] for t in spec["triggers"] if t["type"] == "prometheus")
    assert prometheus["serverAddress"] == "http://prometheus:9090"
    assert prometheus["query"] == 'sum(requests_in_progress{namespace="ns",pod=~"demo-api-.*"})'
    assert "HorizontalPodAutoscaler" not in kinds(with_keda)
    assert "HorizontalPodAutoscaler" in kinds(build(app))
    assert "ScaledObject" not in kinds(build(app))


@pytest.mark.parametrize(
    ("spec", "there"),
    [
        ({"api": {"replicas": 2}}, True),
        ({"api": {"replicas": 1}}, False),
        ({"api": {"replicas": 1, "podDisruptionBudget": "Enabled"}}, True),
        ({"api": {"replicas": 9, "podDisruptionBudget": "Disabled"}}, False),
        ({"profile": "Medium"}, True),
        ({"profile": "Medium", "state": "Hibernated"}, False),
    ],
)
def test_a_budget_protects_what_has_more_than_one_pod(spec: dict[str, Any], there: bool) -> None:
    assert ("PodDisruptionBudget" in kinds(build(resource(**spec)))) is there


def test_a_hibernated_instance_keeps_its_data_and_runs_nothing() -> None:
    manifests = build(resource(profile="Large", state="Hibernated", bootstrap={"seedKnowledgeBase": True}))
    replicas = {m["metadata"]["name"]: m["spec"]["replicas"] for m in manifests if "replicas" in m.get("spec", {})}
    assert replicas == {"demo-api": 0, "demo-redis": 0, "demo-database": 0}
    assert not kinds(manifests) & {"Job", "HorizontalPodAutoscaler", "ScaledObject"}


def test_the_rollout_is_as_the_spec_says_and_a_pod_has_the_time_to_drain() -> None:
    found = api(api={"rollout": {"maxSurge": "50%", "maxUnavailable": 1, "drainSeconds": 30}})["spec"]
    assert found["strategy"]["rollingUpdate"] == {"maxSurge": "50%", "maxUnavailable": 1}
    assert found["template"]["spec"]["terminationGracePeriodSeconds"] == 40
    configured = one(build(resource(api={"rollout": {"drainSeconds": 30}})), "ConfigMap", "demo-config")
    assert configured["data"]["DRAIN_SECONDS"] == "30"


def test_scheduling_reaches_the_pods() -> None:
    found = pod(
        api={
            "scheduling": {
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "affinity": {"nodeAffinity": {}},
                "priorityClassName": "high",
                "topologySpread": "Required",
            }
        }
    )
    assert found["nodeSelector"] == {"disk": "ssd"}
    assert found["tolerations"] == [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert found["affinity"] == {"nodeAffinity": {}}
    assert found["priorityClassName"] == "high"
    assert {c["whenUnsatisfiable"] for c in found["topologySpreadConstraints"]} == {"DoNotSchedule"}
    assert "topologySpreadConstraints" not in pod(api={"scheduling": {"topologySpread": "Disabled"}})


def test_extra_variables_reach_every_pod_of_the_app_and_win() -> None:
    extra = [
        {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
        {"name": "HOME", "value": "/elsewhere"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "mode"}}},
    ]
    sources = [{"prefix": "X_", "secretRef": {"name": "all"}}, {"configMapRef": {"name": "more"}}]
    manifests = build(resource(api={"extraEnv": extra, "extraEnvFrom": sources}))
    for name, kind in (("demo-api", "Deployment"), ("demo-mig", "Job")):
        (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"].startswith(name))
        (container,) = found["spec"]["template"]["spec"]["containers"]
        names = [variable["name"] for variable in container["env"]]
        assert len(names) == len(set(names))
        assert container["env"][-4:] == extra
        assert container["envFrom"][1:] == sources


def test_a_pod_template_patch_adds_a_sidecar_and_keeps_the_rest() -> None:
    before = pod()
    patch = {"spec": {"containers": [{"name": "proxy", "image": "p"}], "dnsPolicy": "None"}}
    after = pod(api={"podTemplate": patch})
    assert after["containers"] == [*before["containers"], {"name": "proxy", "image": "p"}]
    assert after["dnsPolicy"] == "None"
    assert after["securityContext"] == before["securityContext"]


def test_a_restart_changes_the_apis_pods_only() -> None:
    before, after = build(resource()), annotated({RESTARTED_AT: "2026-11-26"})
    changed = [m["metadata"]["name"] for m, old in zip(after, before, strict=True) if m != old]
    assert changed == ["demo-api"]
    template = one(after, "Deployment", "demo-api")["spec"]["template"]
    assert template["metadata"]["annotations"][RESTARTED_AT] == "2026-11-26"


def test_paused_rollouts_hold_every_workload() -> None:
    manifests = annotated({PAUSE_ROLLOUTS: "true"})
    assert one(manifests, "Deployment", "demo-api")["spec"]["paused"] is True
    assert one(manifests, "Deployment", "demo-redis")["spec"]["paused"] is True
    strategy = one(manifests, "StatefulSet", "demo-database")["spec"]["updateStrategy"]
    assert strategy["rollingUpdate"]["partition"] == 1


@pytest.mark.parametrize(
    ("image", "mirrored"),
    [
        ("redis:7-alpine", "mirror.example/all/redis:7-alpine"),
        ("pgvector/pgvector:pg17", "mirror.example/all/pgvector/pgvector:pg17"),
        ("ghcr.example/team/app@sha256:abc", "mirror.example/all/team/app@sha256:abc"),
        ("localhost/app:1", "mirror.example/all/app:1"),
        ("host:5000/app:1", "mirror.example/all/app:1"),
    ],
)
def test_a_mirror_replaces_the_registry_and_keeps_the_path(image: str, mirrored: str) -> None:
    assert from_registry(image, "mirror.example/all") == mirrored
    assert from_registry(image, "") == image


def test_every_image_comes_from_the_mirror() -> None:
    manifests = build(resource(imageRegistry="mirror.example"))
    images = {c["image"] for m in manifests for c in dig(m, "spec", "template", "spec", "containers", default=[])}
    assert len(images) == 3
    assert all(image.startswith("mirror.example/") for image in images)
    assert IMAGES.redis in {image.removeprefix("mirror.example/") for image in images}
