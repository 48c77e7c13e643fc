"""The part `maintenanceWindows` of the resource: when pods may be replaced."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from genai_operator.api.fields import ApiModel, TimeZone


class Weekday(StrEnum):
    """Days of the week, in their order."""

    MON = "Mon"
    TUE = "Tue"
    WED = "Wed"
    THU = "Thu"
    FRI = "Fri"
    SAT = "Sat"
    SUN = "Sun"


class MaintenanceWindow(ApiModel):
    """A time of the week in which pods may be replaced."""

    days: Annotated[tuple[Weekday, ...], Field(max_length=7)] = Field(
        tuple(Weekday),
        description="Days on which the window begins.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    start: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)] = Field(
        "02:00", description="Hour and minute at which it begins, in its time zone."
    )
    duration_minutes: Annotated[int, Field(ge=15, le=1440)] = Field(
        60, description="Length in minutes. What has begun in a window is finished after it."
    )
    timezone: TimeZone = Field("UTC", description="IANA time zone, such as Europe/Berlin.")
