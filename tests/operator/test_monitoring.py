"""What Prometheus, Alertmanager and Grafana are told, the production checklist, and pgAdmin."""

import json
import re
from typing import Any

import pytest
import yaml
from tests.operator.test_desired import IMAGES, build, one, resource

from genai_contract import metrics, monitoring
from genai_operator.conditions.production import CHECKLIST, production_ready
from genai_operator.desired.monitoring import DASHBOARDS, alert_groups
from genai_operator.kinds import ALERTMANAGER_CONFIG, PROMETHEUS_RULE, SERVICE_MONITOR
from genai_operator.manifests import Manifest
from genai_operator.observed import Observed

SERVED = frozenset({SERVICE_MONITOR.name, PROMETHEUS_RULE.name, ALERTMANAGER_CONFIG.name})
RECEIVERS: dict[str, Any] = {
    "slackSecretRef": {"name": "slack"},
    "pagerDutySecretRef": {"name": "pager"},
    "email": {
        "to": "ops@example.com",
        "from": "alerts@example.com",
        "smarthost": "mail.example.com:587",
        "username": "genai",
        "passwordSecretRef": {"name": "mail"},
    },
}
DECLARED = {spec.name: spec.kind for spec in vars(metrics).values() if isinstance(spec, metrics.MetricSpec)}


def kinds(manifests: tuple[Manifest, ...]) -> set[str]:
    return {manifest["kind"] for manifest in manifests}


def with_monitoring(**wish: Any) -> tuple[Manifest, ...]:
    return build(resource(monitoring=wish), served=SERVED)


def test_where_the_prometheus_operator_is_the_api_is_scraped_and_watched() -> None:
    manifests = with_monitoring(interval="30s", serviceMonitor={"labels": {"release": "prometheus"}})
    monitor = one(manifests, "ServiceMonitor", "demo-api")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"], endpoint["interval"]) == ("metrics", "/api/v1/metrics", "30s")
    api = one(manifests, "Service", "demo-api")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= api["metadata"]["labels"].items()
    assert "annotations" not in api["metadata"]
    assert {"PrometheusRule"} <= kinds(manifests)
    assert one(manifests, "ConfigMap", "demo-dashboards")["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_without_it_the_service_is_annotated_and_no_pod_rolls_when_it_appears() -> None:
    before, after = build(resource()), with_monitoring()
    assert one(before, "Service", "demo-api")["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true", "prometheus.io/port": "9090", "prometheus.io/path": "/api/v1/metrics",
    }  # fmt: skip
    assert not kinds(before) & {"ServiceMonitor", "PrometheusRule", "AlertmanagerConfig"}
    assert one(before, "Deployment", "demo-api") == one(after, "Deployment", "demo-api")


def test_each_object_can_be_switched_off() -> None:
    off = {"mode": "Disabled"}
    manifests = with_monitoring(
        serviceMonitor=off, prometheusRule=off, dashboards=off, alertmanagerConfig=off, receivers=RECEIVERS
    )
    assert not kinds(manifests) & {"ServiceMonitor", "PrometheusRule", "AlertmanagerConfig"}
    assert "demo-dashboards" not in {manifest["metadata"]["name"] for manifest in manifests}
    assert "annotations" not in one(manifests, "Service", "demo-api")["metadata"]


def test_dashboards_need_no_definition_of_somebody_else() -> None:
    assert "demo-dashboards" in {
        m["metadata"]["name"] for m in build(resource(monitoring={"dashboards": {"mode": "Enabled"}}))
    }


def rules(**thresholds: Any) -> dict[str, dict[str, Any]]:
    groups = alert_groups(resource(monitoring={"thresholds": thresholds}))
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_thresholds_reach_their_alerts() -> None:
    found = rules(
        latencySecondsWarning="1.5", latencySecondsCritical="3", errorPercentWarning=1, errorPercentCritical=2,
        hourlyCostWarning="7", hourlyCostCritical="8",
    )  # fmt: skip
    ends = {alert: rule["expr"].rpartition("> ")[2] for alert, rule in found.items() if "> " in rule["expr"]}
    assert ends == {
        "HighErrorRate": "1", "CriticalErrorRate": "2", "HighLatency": "1.5", "VeryHighLatency": "3",
        "HighLLMCost": "7", "CriticalLLMCost": "8",
    }  # fmt: skip


def test_alerts_are_about_this_instance_and_tell_which() -> None:
    for rule in rules().values():
        assert 'namespace="ns",service="demo-api"' in rule["expr"]
        assert rule["labels"]["instance"] == "demo"
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert "$" not in yaml.safe_dump(rule)


def expressions() -> list[str]:
    boards = [json.loads(monitoring.text(f"dashboards/{board}.json")) for board in DASHBOARDS]
    targets = [target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules().values()), *targets]


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_that_is_asked_for_exists(expression: str) -> None:
    named = set(re.findall(r"([a-z_]+)\{", expression)) - {"up"}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert named == set() or bases <= DECLARED.keys()
    assert expression.count("(") == expression.count(")")


def test_dashboards_can_be_provisioned() -> None:
    for board in DASHBOARDS:
        loaded = json.loads(monitoring.text(f"dashboards/{board}.json"))
        assert loaded["uid"]
        assert loaded["title"]
        assert {variable["name"] for variable in loaded["templating"]["list"]} == {"datasource", "namespace", "service"}


def test_receivers_hear_what_the_guide_says() -> None:
    spec = one(with_monitoring(receivers=RECEIVERS), "AlertmanagerConfig", "demo-api")["spec"]
    receivers = {receiver["name"]: receiver for receiver in spec["receivers"]}
    channels = {name: receiver["slackConfigs"][0]["channel"] for name, receiver in receivers.items()}
    assert channels == {
        "alerts": "#genai-alerts", "critical": "#genai-critical", "cost": "#genai-cost-alerts",
        "performance": "#genai-performance",
    }  # fmt: skip
    assert {name for name, receiver in receivers.items() if "emailConfigs" in receiver} == {"critical"}
    (mail,) = receivers["critical"]["emailConfigs"]
    assert (mail["from"], mail["authUsername"]) == ("alerts@example.com", "genai")
    assert mail["authPassword"] == {"name": "mail", "key": "password"}
    assert receivers["critical"]["pagerdutyConfigs"][0]["routingKey"] == {"name": "pager", "key": "integration-key"}
    routes = {route["receiver"]: route["matchers"][0]["value"] for route in spec["route"]["routes"]}
    assert routes == {"critical": "critical", "cost": "cost", "performance": "performance"}
    assert "AlertmanagerConfig" not in kinds(with_monitoring())
    assert "AlertmanagerConfig" in kinds(with_monitoring(alertmanagerConfig={"mode": "Enabled"}))


GOOD: dict[str, Any] = {
    "environment": "Production",
    "llm": {"provider": "OpenAICompatible", "baseURL": "http://models.example/v1"},
    "exposure": {"type": "Ingress", "host": "a.example", "tls": {"mode": "CertManager", "issuerRef": {"name": "le"}}},
    "api": {"trustedProxies": ["10.0.0.0/8"]},
    "monitoring": {"receivers": RECEIVERS},
    "database": {"mode": "CloudNativePG"},
}


def judged(served: frozenset[str] = SERVED, **changes: Any) -> tuple[str, str]:
    app = resource(**{**GOOD, **changes})
    verdict = production_ready(Observed(metadata=app.metadata, resource=app, images=IMAGES, served=served), app)
    return verdict.status, verdict.message


def test_the_whole_list_can_be_done() -> None:
    assert judged() == ("True", f"all {len(CHECKLIST)} items hold")
    assert judged(environment="Staging")[0] == "Unknown"


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"auth": {"accessExpireMinutes": 60}}, "auth.accessExpireMinutes"),
        ({"auth": {"refreshExpireDays": 8}}, "auth.refreshExpireDays"),
        ({"exposure": {"type": "Ingress", "host": "a.example"}}, "a certificate that clients trust"),
        ({"exposure": {**GOOD["exposure"], "privatePaths": ["/docs"]}}, "exposure.privatePaths"),
        ({"networkPolicy": {"enabled": False}}, "networkPolicy.enabled"),
        ({"exposure": {**GOOD["exposure"], "limits": {"enabled": False}}}, "exposure.limits.enabled"),
        ({"api": {}}, "api.trustedProxies"),
        ({"api": {**GOOD["api"], "logLevel": "INFO"}}, "api.logLevel"),
        ({"monitoring": {}}, "monitoring.receivers"),
        ({"image": {"repository": "mine", "tag": "latest", "digest": ""}}, "pin every image"),
        ({"database": {}}, "back the database up"),
        ({"served": frozenset({ALERTMANAGER_CONFIG.name})}, "install the Prometheus operator"),
    ],
)
def test_each_open_item_says_what_to_do(changes: dict[str, Any], advice: str) -> None:
    status, message = judged(**changes)
    assert status == "False"
    assert message.startswith("1 of ")
    assert advice in message


def test_pgadmin_knows_the_database_and_its_password_is_in_a_secret() -> None:
    manifests = build(resource(pgadmin={"enabled": True, "email": "dba@example.com"}, imageRegistry="mirror.example"))
    servers = json.loads(one(manifests, "ConfigMap", "demo-pgadmin")["data"]["servers.json"])
    assert servers["Servers"]["1"]["Host"] == "demo-database"
    (container,) = one(manifests, "Deployment", "demo-pgadmin")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "mirror.example/dpage/pgadmin4:9"
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["PGADMIN_DEFAULT_EMAIL"]["value"] == "dba@example.com"
    assert variables["PGADMIN_DEFAULT_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == "demo-pgadmin"
    assert "demo-pgadmin" not in {manifest["metadata"]["name"] for manifest in build(resource())}
