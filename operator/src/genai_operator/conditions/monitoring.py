"""Whether somebody watches: the objects of the Prometheus operator."""

from genai_operator.api.agent_api import Switch
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import Verdict
from genai_operator.desired.monitoring import wants_alertmanager_config
from genai_operator.diagnosis import Problem
from genai_operator.kinds import ALERTMANAGER_CONFIG, PROMETHEUS_RULE, SERVICE_MONITOR
from genai_operator.observed import Observed


def monitoring_ready(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether Prometheus is told what to scrape and when to call."""
    wish = app.spec.monitoring
    kinds = [
        (SERVICE_MONITOR, wish.service_monitor.mode),
        (PROMETHEUS_RULE, wish.prometheus_rule.mode),
        *([(ALERTMANAGER_CONFIG, wish.alertmanager_config.mode)] if wants_alertmanager_config(app) else []),
    ]
    wanted = [(kind, mode) for kind, mode in kinds if mode is not Switch.DISABLED]
    missing = [kind.name for kind, mode in wanted if mode is Switch.ENABLED and kind.name not in o.served]
    if missing:
        names = " and ".join(missing)
        return Verdict.no(Problem("PrometheusOperatorMissing", f"the cluster has no {names}: install its operator"))
    made = [kind.name for kind, _ in wanted if kind.name in o.served and o.child(kind.name, o.names.api) is not None]
    if made:
        return Verdict.yes("Watched", f"{', '.join(made)} {o.names.api}")
    if not wanted:
        return Verdict.unknown("NotConfigured", "monitoring is Disabled")
    return Verdict.unknown(
        "PrometheusOperatorAbsent",
        "no Prometheus operator: the Service carries annotations for scraping, and no alerts",
    )
