"""The agent API: Deployment and Service."""

from typing import Final

from genai_contract.config import AppSecrets
from genai_contract.endpoints import HTTP_PORT, LIVENESS_PATH, METRICS_PORT, READINESS_PATH
from genai_operator.api.agent_api import Spread
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.app_pod import app_pod_template
from genai_operator.desired.config import config_hash
from genai_operator.desired.context import Context, Running, split_image
from genai_operator.desired.effective import wanted_replicas
from genai_operator.desired.monitoring import scrape_annotations
from genai_operator.desired.objects import metadata, service
from genai_operator.desired.patching import merged
from genai_operator.desired.pods import rolled_by
from genai_operator.manifests import Manifest
from genai_operator.naming import APP_VERSION, RESTARTED_AT, Component, Names

ENDPOINT_SECONDS: Final = 5
"""How long a stopping pod goes on serving, so that every proxy has heard that it leaves."""


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """The Deployment and its Service."""
    names, rollout = Names(app.metadata.name), app.spec.api.rollout
    template = _pod(app, ctx.held or wanted(app, ctx))
    reached = service(app, names.api, Component.API, http=HTTP_PORT, metrics=METRICS_PORT)
    annotations = scrape_annotations(app, ctx, METRICS_PORT)
    if annotations:
        reached["metadata"]["annotations"] = annotations
    return (
        reached,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(app, names.api, Component.API),
            "spec": {
                "replicas": wanted_replicas(app, ctx.live_replicas),
                **({"paused": True} if ctx.keeps_pods(app, Component.API) else {}),
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {
                        "maxSurge": _count(rollout.max_surge),
                        "maxUnavailable": _count(rollout.max_unavailable),
                    },
                },
                "revisionHistoryLimit": 3,
                "selector": {"matchLabels": names.selector(Component.API)},
                "template": merged(template, app.spec.api.pod_template or {}),
            },
        },
    )


def _count(text: str) -> int | str:
    """A number of pods as a number, a percentage as a text."""
    return int(text) if text.isdigit() else text


def wanted(app: GenAIAuto, ctx: Context) -> Running:
    """What the pods run once the schema is ready for it."""
    image = ctx.images.app_of(app)
    return Running(image, app.spec.version or version_of(image), config_hash(app, ctx))


def version_of(image: str) -> str:
    """The version that an image's name tells: its tag, else the beginning of its digest."""
    _, tag, digest = split_image(image)
    return tag or digest.removeprefix("sha256:")[:12] or "latest"


def _pod(app: GenAIAuto, running: Running) -> Manifest:
    return app_pod_template(
        app,
        Component.API,
        running.image,
        ["serve"],
        secrets=AppSecrets.model_fields,
        annotations={**rolled_by(running.config_hash), APP_VERSION: running.version, **_restarted(app)},
        pod={
            "terminationGracePeriodSeconds": ENDPOINT_SECONDS + app.spec.api.rollout.drain_seconds + 5,
            **_scheduling(app),
        },
        ports=[
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        startupProbe=_probe(LIVENESS_PATH, period=1, failures=120),
        livenessProbe=_probe(LIVENESS_PATH, period=10, failures=3),
        readinessProbe=_probe(READINESS_PATH, period=5, failures=2),
        lifecycle={"preStop": {"sleep": {"seconds": ENDPOINT_SECONDS}}},
    )


def _restarted(app: GenAIAuto) -> dict[str, str]:
    moment = app.metadata.annotations.get(RESTARTED_AT, "")
    return {RESTARTED_AT: moment} if moment else {}


def _scheduling(app: GenAIAuto) -> Manifest:
    """Which nodes the pods run on; what is not asked for is left to the cluster."""
    wish = app.spec.api.scheduling
    tolerations = [
        {key: value for key, value in toleration.model_dump(mode="json", by_alias=True).items() if value}
        for toleration in wish.tolerations
    ]
    found: Manifest = {
        "nodeSelector": wish.node_selector,
        "tolerations": tolerations,
        "affinity": wish.affinity,
        "priorityClassName": wish.priority_class_name,
        "topologySpreadConstraints": _spread(app),
    }
    return {key: value for key, value in found.items() if value}


def _spread(app: GenAIAuto) -> list[Manifest]:
    """Over nodes and zones, within one version of the pods: an old one does not hold a place for a new one."""
    wish = app.spec.api.scheduling.topology_spread
    if wish is Spread.DISABLED:
        return []
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "DoNotSchedule" if wish is Spread.REQUIRED else "ScheduleAnyway",
            "labelSelector": {"matchLabels": Names(app.metadata.name).selector(Component.API)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
