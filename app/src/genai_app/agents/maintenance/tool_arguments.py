"""What the tools take: each class is validated by us and, as a JSON schema, told to models."""

from datetime import date, time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from genai_app.scheduling.services import ServiceName


class Arguments(BaseModel):
    """Arguments of a tool: a name that is not known is an error that the model is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Day = Annotated[date, Field(description="Local day, YYYY-MM-DD.")]
Clock = Annotated[time, Field(description="Local time, HH:MM.")]
Confirmation = Annotated[str, Field(min_length=1, max_length=64, description="Number of the appointment.")]


class CheckAvailableSlots(Arguments):
    """What `check_available_slots` takes."""

    preferred_date: Day
    days: Annotated[int, Field(ge=1, le=14, description="How many days from then on.")] = 1


class BookAppointment(Arguments):
    """What `book_appointment` takes."""

    service_type: ServiceName
    date: Day
    time: Clock


class RescheduleAppointment(Arguments):
    """What `reschedule_appointment` takes."""

    confirmation_number: Confirmation
    date: Day
    time: Clock


class CancelAppointment(Arguments):
    """What `cancel_appointment` takes."""

    confirmation_number: Confirmation


class Nothing(Arguments):
    """No arguments."""


class GetServicePricing(Arguments):
    """What `get_service_pricing` takes."""

    service_type: Annotated[ServiceName | None, Field(description="One service; null for all.")] = None
