"""The agent API: Deployment and Service."""

from typing import Final

from genai_contract.config import AppSecrets
from genai_contract.endpoints import DRAIN_SECONDS, HTTP_PORT, LIVENESS_PATH, METRICS_PORT, READINESS_PATH
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.app_pod import app_pod_template
from genai_operator.desired.config import config_hash
from genai_operator.desired.context import Context, Running, split_image
from genai_operator.desired.objects import metadata, service
from genai_operator.desired.pods import rolled_by
from genai_operator.manifests import Manifest
from genai_operator.naming import APP_VERSION, Component, Names

ENDPOINT_SECONDS: Final = 5
"""How long a stopping pod goes on serving, so that every proxy has heard that it leaves."""


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """The Deployment and its Service."""
    names = Names(app.metadata.name)
    return (
        service(app, names.api, Component.API, http=HTTP_PORT, metrics=METRICS_PORT),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(app, names.api, Component.API),
            "spec": {
                "replicas": app.spec.api.replicas,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "revisionHistoryLimit": 3,
                "selector": {"matchLabels": names.selector(Component.API)},
                "template": _pod(app, ctx.held or wanted(app, ctx)),
            },
        },
    )


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
        annotations={**rolled_by(running.config_hash), APP_VERSION: running.version},
        pod={"terminationGracePeriodSeconds": ENDPOINT_SECONDS + DRAIN_SECONDS + 5},
        ports=[
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        startupProbe=_probe(LIVENESS_PATH, period=1, failures=120),
        livenessProbe=_probe(LIVENESS_PATH, period=10, failures=3),
        readinessProbe=_probe(READINESS_PATH, period=5, failures=2),
        lifecycle={"preStop": {"sleep": {"seconds": ENDPOINT_SECONDS}}},
    )


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
