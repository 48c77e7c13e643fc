"""What surrounds the service: the people that take over, the scheduling system, the workshop's hours."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig
from genai_operator.api.fields import ApiModel, TimeZone, Url
from genai_operator.api.references import ApiKeySecretRef, SigningSecretRef, WebhookSecretRef

_APP: Final = AppConfig()

_WEEKDAY: Final = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS: Final = f"{_WEEKDAY}(-{_WEEKDAY})? {_TIME}-{_TIME}"

OpeningHours = Annotated[str, StringConstraints(pattern=f"^{_HOURS}(, ?{_HOURS})*$", max_length=1024)]
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10),
    Field(json_schema_extra={"format": "date"}),
]


class Scheduler(ApiModel):
    """The scheduling system of the workshop."""

    url: Url = Field("", description="Base URL of an external scheduling system; empty: appointments in our database.")
    api_key_secret_ref: ApiKeySecretRef | None = Field(
        None, description="Key of the scheduling system. Absent: it is called without."
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=60)] = Field(
        int(_APP.scheduler_timeout_seconds), description="Longest time for one call in seconds, retries included."
    )


class Integrations(ApiModel):
    """Other systems that the service calls."""

    human_support_webhook_secret_ref: WebhookSecretRef | None = Field(
        None, description="URL that handoffs are sent to. Absent: they wait at the local desk."
    )
    human_support_webhook_signing_secret_ref: SigningSecretRef | None = Field(
        None, description="Key that signs what is sent to the webhook. Absent: it is not signed."
    )
    handoff_dead_letter_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        int(_APP.handoff_dead_letter_hours),
        description="Hours after which an undelivered handoff is given up and counted as a dead letter.",
    )
    scheduler: Scheduler = Field(default_factory=Scheduler, description="The scheduling system of the workshop.")


class Workshop(ApiModel):
    """When the workshop takes cars in; for appointments in our own database."""

    timezone: TimeZone = Field(_APP.service_timezone, description="IANA time zone, such as America/Sao_Paulo.")
    opening_hours: OpeningHours = Field(
        _APP.service_opening_hours, description="Opening hours by weekday, comma-separated."
    )
    closed_days: Annotated[tuple[Day, ...], Field(max_length=400)] = Field(
        (),
        description="Days without appointments, such as 2026-12-25.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    slot_minutes: Annotated[int, Field(ge=5, le=600)] = Field(
        _APP.service_slot_minutes, description="Length of an appointment in minutes."
    )
    bays: Annotated[int, Field(ge=1, le=100)] = Field(_APP.service_bays, description="Cars that one slot takes.")
