"""Who decides how many API pods there are, and how many of them may be taken away at once."""

from typing import Any, Final

from genai_contract.metrics import REQUESTS_IN_PROGRESS
from genai_operator.api.agent_api import Engine, Switch
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.context import Context
from genai_operator.desired.effective import Bounds, autoscaling, engine, fewest_replicas, hibernated
from genai_operator.desired.objects import metadata
from genai_operator.kinds import AUTOSCALER, DEPLOYMENT, DISRUPTION_BUDGET, SCALED_OBJECT
from genai_operator.manifests import Manifest
from genai_operator.naming import Component, Names

_BEHAVIOR: Final = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
    },
}


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """The autoscaler and the disruption budget, as far as there are any."""
    bounds = autoscaling(app)
    chosen = engine(app, keda_is_there=ctx.serves(SCALED_OBJECT))
    scaler = () if bounds is None else (_SCALERS[chosen or Engine.HPA](app, bounds),)
    return (*scaler, *((_disruption_budget(app),) if has_disruption_budget(app) else ()))


def has_disruption_budget(app: GenAIAuto) -> bool:
    """With one pod a budget protects nothing: some request fails either way."""
    wish = app.spec.api.pod_disruption_budget
    by_itself = wish is Switch.AUTO and fewest_replicas(app) > 1
    return not hibernated(app) and (wish is Switch.ENABLED or by_itself)


def _horizontal_pod_autoscaler(app: GenAIAuto, bounds: Bounds) -> Manifest:
    wish = app.spec.api.autoscaling
    metrics: list[Manifest] = [
        {"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": goal}}}
        for name, goal in (("cpu", wish.target_cpu_percent), ("memory", wish.target_memory_percent))
        if goal
    ]
    if wish.target_in_progress_requests:
        target = {"type": "AverageValue", "averageValue": str(wish.target_in_progress_requests)}
        metrics.append({"type": "Pods", "pods": {"metric": {"name": REQUESTS_IN_PROGRESS.name}, "target": target}})
    return {
        "apiVersion": AUTOSCALER.api_version,
        "kind": AUTOSCALER.name,
        "metadata": metadata(app, Names(app.metadata.name).api, Component.API),
        "spec": {
            "scaleTargetRef": _target(app),
            "minReplicas": bounds.least,
            "maxReplicas": bounds.most,
            "metrics": metrics,
            "behavior": wish.behavior or _BEHAVIOR,
        },
    }


def _scaled_object(app: GenAIAuto, bounds: Bounds) -> Manifest:
    wish = app.spec.api.autoscaling
    triggers: list[dict[str, Any]] = [
        {"type": name, "metricType": "Utilization", "metadata": {"value": str(goal)}}
        for name, goal in (("cpu", wish.target_cpu_percent), ("memory", wish.target_memory_percent))
        if goal
    ]
    if wish.target_in_progress_requests:
        pods = f'namespace="{app.metadata.namespace}",pod=~"{Names(app.metadata.name).api}-.*"'
        triggers.append(
            {
                "type": "prometheus",
                "metricType": "AverageValue",
                "metadata": {
                    "serverAddress": wish.prometheus_url,
                    "query": f"sum({REQUESTS_IN_PROGRESS.name}{{{pods}}})",
                    "threshold": str(wish.target_in_progress_requests),
                },
            }
        )
    return {
        "apiVersion": SCALED_OBJECT.api_version,
        "kind": SCALED_OBJECT.name,
        "metadata": metadata(app, Names(app.metadata.name).api, Component.API),
        "spec": {
            "scaleTargetRef": _target(app),
            "minReplicaCount": bounds.least,
            "maxReplicaCount": bounds.most,
            "triggers": triggers,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": wish.behavior or _BEHAVIOR}},
        },
    }


_SCALERS: Final = {Engine.HPA: _horizontal_pod_autoscaler, Engine.KEDA: _scaled_object}


def _target(app: GenAIAuto) -> Manifest:
    return {
        "apiVersion": DEPLOYMENT.api_version,
        "kind": DEPLOYMENT.name,
        "name": Names(app.metadata.name).api,
    }


def _disruption_budget(app: GenAIAuto) -> Manifest:
    names = Names(app.metadata.name)
    return {
        "apiVersion": DISRUPTION_BUDGET.api_version,
        "kind": DISRUPTION_BUDGET.name,
        "metadata": metadata(app, names.api, Component.API),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": names.selector(Component.API)},
            # A pod that is not ready serves nobody: it must not keep a node from being drained.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
