"""Objects of the Prometheus operator, and dashboards for Grafana; what they say is in `genai_contract.monitoring`."""

from string import Template
from typing import Any, Final

import yaml

from genai_contract import monitoring as contents
from genai_contract.endpoints import METRICS_PATH
from genai_operator.api.agent_api import Switch
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.monitoring import MonitoringObject, Receivers
from genai_operator.desired.context import Context
from genai_operator.desired.objects import config_map, metadata
from genai_operator.kinds import ALERTMANAGER_CONFIG, PROMETHEUS_RULE, SERVICE_MONITOR, Kind
from genai_operator.manifests import Manifest
from genai_operator.naming import Component, Names

DASHBOARDS: Final = ("overview",)
SIDECAR_LABEL: Final = {"grafana_dashboard": "1"}
"""By which the sidecar of Grafana's chart finds dashboards."""


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """What is wanted and can be made."""
    wish = app.spec.monitoring
    found = []
    if is_made(wish.service_monitor, SERVICE_MONITOR, ctx):
        found.append(_service_monitor(app))
    if is_made(wish.prometheus_rule, PROMETHEUS_RULE, ctx):
        found.append(_prometheus_rule(app))
    if wants_alertmanager_config(app) and is_made(wish.alertmanager_config, ALERTMANAGER_CONFIG, ctx):
        found.append(_alertmanager_config(app))
    if _wants_dashboards(app, ctx):
        found.append(_dashboards(app))
    return tuple(found)


def is_made(wish: MonitoringObject, kind: Kind, ctx: Context) -> bool:
    """Whether an object of an optional kind is made."""
    return wish.mode is not Switch.DISABLED and ctx.serves(kind)


def wants_alertmanager_config(app: GenAIAuto) -> bool:
    """Routes to nobody are of no use, so Auto waits for receivers."""
    wish = app.spec.monitoring
    return wish.alertmanager_config.mode is Switch.ENABLED or (
        wish.alertmanager_config.mode is Switch.AUTO and wish.receivers.any
    )


def _wants_dashboards(app: GenAIAuto, ctx: Context) -> bool:
    """A ConfigMap can always be made; Auto takes the Prometheus operator as the sign that Grafana is near."""
    mode = app.spec.monitoring.dashboards.mode
    return mode is Switch.ENABLED or (mode is Switch.AUTO and ctx.serves(SERVICE_MONITOR))


def scrape_annotations(app: GenAIAuto, ctx: Context, port: int) -> dict[str, str]:
    """On the Service, for a Prometheus without its operator. Not on pods: they would roll when that appears."""
    wish = app.spec.monitoring.service_monitor
    if wish.mode is Switch.DISABLED or is_made(wish, SERVICE_MONITOR, ctx):
        return {}
    prefix = "prometheus.io"
    return {f"{prefix}/scrape": "true", f"{prefix}/port": str(port), f"{prefix}/path": METRICS_PATH}


def _meta(app: GenAIAuto, name: str, wish: MonitoringObject) -> Manifest:
    base = metadata(app, name, Component.MONITORING)
    return {**base, "labels": {**wish.labels, **base["labels"]}}


def _service_monitor(app: GenAIAuto) -> Manifest:
    names, wish = Names(app.metadata.name), app.spec.monitoring
    return {
        "apiVersion": SERVICE_MONITOR.api_version,
        "kind": SERVICE_MONITOR.name,
        "metadata": _meta(app, names.api, wish.service_monitor),
        "spec": {
            "selector": {"matchLabels": names.selector(Component.API)},
            "endpoints": [{"port": "metrics", "path": METRICS_PATH, "interval": wish.interval, "scheme": "http"}],
        },
    }


def _prometheus_rule(app: GenAIAuto) -> Manifest:
    names, wish = Names(app.metadata.name), app.spec.monitoring
    return {
        "apiVersion": PROMETHEUS_RULE.api_version,
        "kind": PROMETHEUS_RULE.name,
        "metadata": _meta(app, names.api, wish.prometheus_rule),
        "spec": {"groups": alert_groups(app)},
    }


def alert_groups(app: GenAIAuto) -> list[dict[str, Any]]:
    """The alerts with this instance's series and thresholds; each tells namespace and instance."""
    wish = app.spec.monitoring
    selector = f'namespace="{app.metadata.namespace}",service="{Names(app.metadata.name).api}"'
    text = Template(contents.text("alerts.yaml")).substitute(
        wish.thresholds.model_dump(), selector=selector, name=app.metadata.name
    )
    groups: list[dict[str, Any]] = yaml.safe_load(text)
    for group in groups:
        group["name"] = f"{app.metadata.namespace}.{app.metadata.name}.{group['name']}"
        for rule in group["rules"]:
            rule["labels"] |= {"namespace": app.metadata.namespace, "instance": app.metadata.name}
    return groups


def _alertmanager_config(app: GenAIAuto) -> Manifest:
    names, wish = Names(app.metadata.name), app.spec.monitoring
    return {
        "apiVersion": ALERTMANAGER_CONFIG.api_version,
        "kind": ALERTMANAGER_CONFIG.name,
        "metadata": _meta(app, names.api, wish.alertmanager_config),
        "spec": {
            "route": {
                "receiver": "alerts",
                "groupBy": ["alertname", "instance"],
                "groupWait": "30s",
                "groupInterval": "5m",
                "repeatInterval": "4h",
                "matchers": [_matcher("instance", app.metadata.name)],
                "routes": [
                    {"receiver": "critical", "matchers": [_matcher("severity", "critical")]},
                    {"receiver": "cost", "matchers": [_matcher("type", "cost")]},
                    {"receiver": "performance", "matchers": [_matcher("type", "performance")]},
                ],
            },
            "receivers": [_receiver(wish.receivers, name) for name in ("alerts", "critical", "cost", "performance")],
            "inhibitRules": [
                {
                    "sourceMatch": [_matcher("alertname", "APIDown")],
                    "targetMatch": [{"name": "alertname", "value": "APIDown", "matchType": "!="}],
                    "equal": ["namespace", "instance"],
                },
                {
                    "sourceMatch": [_matcher("alertname", "CriticalLLMCost")],
                    "targetMatch": [_matcher("alertname", "HighLLMCost")],
                    "equal": ["namespace", "instance"],
                },
            ],
        },
    }


def _matcher(name: str, value: str) -> Manifest:
    return {"name": name, "value": value, "matchType": "="}


def _receiver(receivers: Receivers, name: str) -> Manifest:
    """Slack for everybody; e-mail and PagerDuty for what is critical (guide 11.5)."""
    found: Manifest = {"name": name}
    slack, pager, mail = receivers.slack_secret_ref, receivers.pager_duty_secret_ref, receivers.email
    if slack is not None:
        url = {"name": slack.name, "key": slack.key}
        found["slackConfigs"] = [{"apiURL": url, "channel": getattr(receivers.channels, name), "sendResolved": True}]
    if name == "critical" and pager is not None:
        found["pagerdutyConfigs"] = [{"routingKey": {"name": pager.name, "key": pager.key}, "sendResolved": True}]
    if name == "critical" and mail.to:
        password = mail.password_secret_ref
        found["emailConfigs"] = [
            {
                "to": mail.to,
                "sendResolved": True,
                **({"from": mail.sender} if mail.sender else {}),
                **({"smarthost": mail.smarthost} if mail.smarthost else {}),
                **({"authUsername": mail.username} if mail.username else {}),
                **({"authPassword": {"name": password.name, "key": password.key}} if password else {}),
            }
        ]
    return found


def _dashboards(app: GenAIAuto) -> Manifest:
    wish = app.spec.monitoring.dashboards
    name = Names(app.metadata.name).dashboards
    files = {f"genai-auto-{board}.json": contents.text(f"dashboards/{board}.json") for board in DASHBOARDS}
    manifest = config_map(app, name, Component.MONITORING, files)
    labels = {**SIDECAR_LABEL, **wish.labels, **manifest["metadata"]["labels"]}
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}
