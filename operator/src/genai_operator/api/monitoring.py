"""The part `monitoring` of the resource: what Prometheus, Alertmanager and Grafana are told."""

from typing import Annotated

from pydantic import Field, StringConstraints

from genai_operator.api.agent_api import Switch
from genai_operator.api.fields import ApiModel, Labels
from genai_operator.api.llm import Dollars
from genai_operator.api.references import IntegrationSecretRef, PasswordSecretRef, WebhookSecretRef

Duration = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(ms|s|m|h)$", max_length=16)]
Decimal = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$", max_length=14)]
Percent = Annotated[int, Field(ge=1, le=100)]
Channel = Annotated[str, StringConstraints(pattern=r"^[#@][-_.a-z0-9]+$", max_length=80)]
MailOrNone = Annotated[str, StringConstraints(pattern=r"^$|^[^@\s]+@[^@\s]+$", max_length=254)]
Smarthost = Annotated[str, StringConstraints(pattern=r"^$|^[-a-zA-Z0-9.]+:[0-9]{1,5}$", max_length=260)]


class MonitoringObject(ApiModel):
    """Whether one kind of object is made."""

    mode: Switch = Field(
        Switch.AUTO, description="Auto: where the Prometheus operator is installed. Enabled: its absence is a problem."
    )
    labels: Labels = Field({}, description="Labels by which Prometheus, Alertmanager or Grafana choose it.")


class Thresholds(ApiModel):
    """When an alert fires."""

    latency_seconds_warning: Decimal = Field("5", description="Latency of 95 % of the requests, in seconds as text.")
    latency_seconds_critical: Decimal = Field("10", description="The same, for the critical alert.")
    error_percent_warning: Percent = Field(5, description="Failed requests in percent.")
    error_percent_critical: Percent = Field(20, description="The same, for the critical alert.")
    hourly_cost_warning: Dollars = Field("10", description="Cost of models in one hour, in dollars as text.")
    hourly_cost_critical: Dollars = Field("50", description="The same, for the critical alert.")


class Channels(ApiModel):
    """Channels of Slack, by what an alert is about."""

    critical: Channel = Field("#genai-critical", description="Critical alerts.")
    alerts: Channel = Field("#genai-alerts", description="Warnings.")
    cost: Channel = Field("#genai-cost-alerts", description="Warnings about cost.")
    performance: Channel = Field("#genai-performance", description="Warnings about performance.")


class Email(ApiModel):
    """E-mail for critical alerts."""

    to: MailOrNone = Field("", description="Address that gets them; empty: nobody.")
    sender: MailOrNone = Field("", alias="from", description="Address of the sender; empty: Alertmanager's own.")
    smarthost: Smarthost = Field("", description="Mail server with its port; empty: Alertmanager's own.")
    username: Annotated[str, StringConstraints(max_length=254)] = Field(
        "", description="User at the server; empty: none."
    )
    password_secret_ref: PasswordSecretRef | None = Field(None, description="Password at the server. Absent: none.")


class Receivers(ApiModel):
    """Who hears of alerts; the routes are those of the deployment guide (11.5)."""

    slack_secret_ref: WebhookSecretRef | None = Field(None, description="Webhook of Slack. Absent: not by Slack.")
    channels: Channels = Field(default_factory=Channels, description="Channels of Slack.")
    email: Email = Field(default_factory=Email, description="E-mail for critical alerts.")
    pager_duty_secret_ref: IntegrationSecretRef | None = Field(
        None, description="Integration key of PagerDuty, for critical alerts. Absent: not by PagerDuty."
    )

    @property
    def any(self) -> bool:
        """Whether anybody hears of alerts."""
        return bool(self.slack_secret_ref or self.email.to or self.pager_duty_secret_ref)


class Monitoring(ApiModel):
    """What Prometheus, Alertmanager and Grafana are told. Without the Prometheus operator the Service is annotated."""

    service_monitor: MonitoringObject = Field(default_factory=MonitoringObject, description="Where Prometheus scrapes.")
    prometheus_rule: MonitoringObject = Field(default_factory=MonitoringObject, description="Alerts.")
    dashboards: MonitoringObject = Field(
        default_factory=MonitoringObject,
        description="ConfigMap with dashboards, which Grafana's sidecar finds by the label grafana_dashboard.",
    )
    alertmanager_config: MonitoringObject = Field(
        default_factory=MonitoringObject, description="Who hears of alerts; Auto makes one when there are receivers."
    )
    interval: Duration = Field("15s", description="How often Prometheus scrapes.")
    thresholds: Thresholds = Field(default_factory=Thresholds, description="When alerts fire.")
    receivers: Receivers = Field(default_factory=Receivers, description="Who hears of alerts.")
