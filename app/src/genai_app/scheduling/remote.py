"""The scheduler behind SCHEDULER_API_URL; the wire contract is `docs/reference/scheduler-api.yaml`."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ValidationError

from genai_app.errors import Conflict, Invalid, NotFound
from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_app.scheduling.builtin import KEY_USED, NO_APPOINTMENT
from genai_app.scheduling.scheduling_server import SchedulingServer
from genai_app.scheduling.values import (
    Appointment,
    Booking,
    Owner,
    SchedulerDown,
    Slot,
    SlotTaken,
    Status,
    WhyNot,
    Window,
)
from genai_contract.metrics import DEPENDENCY_DOWN

log = get_logger(__name__)
Body = TypeVar("Body", bound=BaseModel)


class SlotIn(BaseModel):
    """A slot as the system sends it."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime

    def slot(self) -> Slot:
        """As a plain value."""
        return Slot(self.starts_at, self.ends_at)


class SlotsIn(BaseModel):
    """Free slots."""

    slots: list[SlotIn]


class AppointmentIn(SlotIn):
    """An appointment; `customer_id` says whose."""

    id: str
    customer_id: UUID
    vehicle_id: UUID | None = None
    service_type: str
    status: Status


class AppointmentsIn(BaseModel):
    """A customer's appointments."""

    appointments: list[AppointmentIn]


class RefusalIn(BaseModel):
    """Why a booking was refused: `slot-taken` has a reason and alternatives, `key-used` has not."""

    code: str = ""
    reason: WhyNot = "taken"
    alternatives: list[SlotIn] = []


class RemoteScheduler:
    """The Scheduler of a system with an HTTP API."""

    def __init__(self, server: SchedulingServer, metrics: Metrics) -> None:
        self._server = server
        self._metrics = metrics

    async def free_slots(self, window: Window) -> tuple[Slot, ...]:
        """See Scheduler."""
        params = {"from": _text(window.begins), "until": _text(window.ends), "limit": window.limit}
        status, content = await self._call("GET", "/v1/slots", params=params)
        found = self._read(SlotsIn, status, content).slots
        return tuple(sorted(each.slot() for each in found if window.begins <= each.starts_at < window.ends))

    async def book(self, owner: Owner, booking: Booking) -> Appointment:
        """See Scheduler."""
        body = {
            "customer_id": str(owner.customer_id),
            "vehicle_id": str(owner.vehicle_id) if owner.vehicle_id else None,
            "service_type": booking.service,
            "starts_at": _text(booking.starts_at),
        }
        return self._changed(owner, *await self._call("POST", "/v1/appointments", key=booking.key, body=body))

    async def reschedule(self, owner: Owner, confirmation: str, booking: Booking) -> Appointment:
        """See Scheduler."""
        body = {"customer_id": str(owner.customer_id), "starts_at": _text(booking.starts_at)}
        path = f"/v1/appointments/{_segment(confirmation)}/reschedule"
        return self._changed(owner, *await self._call("POST", path, key=booking.key, body=body))

    async def cancel(self, owner: Owner, confirmation: str) -> Appointment:
        """See Scheduler. The number is the key: an appointment is cancelled once."""
        path = f"/v1/appointments/{_segment(confirmation)}/cancel"
        body = {"customer_id": str(owner.customer_id)}
        return self._changed(owner, *await self._call("POST", path, key=f"cancel-{confirmation}", body=body))

    async def upcoming(self, owner: Owner) -> tuple[Appointment, ...]:
        """See Scheduler. What is not the owner's is left out, whatever the system sends."""
        params = {"customer_id": str(owner.customer_id), "status": "scheduled"}
        status, content = await self._call("GET", "/v1/appointments", params=params)
        found = self._read(AppointmentsIn, status, content).appointments
        own = (each for each in found if each.customer_id == owner.customer_id and each.status == "scheduled")
        return tuple(_appointment(each) for each in sorted(own, key=lambda each: each.starts_at))

    async def _call(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        try:
            return await self._server.call(method, path, **request)
        except SchedulerDown as down:
            self._metrics.count(DEPENDENCY_DOWN, dependency="scheduler", policy="tell-customer")
            log.warning("scheduler_down", method=method, path=path.split("/")[2], reason=str(down))
            raise

    def _changed(self, owner: Owner, status: int, content: bytes) -> Appointment:
        if status == 404:
            raise NotFound(NO_APPOINTMENT)
        if status == 409:
            refusal = self._read(RefusalIn, 200, content)
            if refusal.code == "key-used":
                raise Conflict(KEY_USED)
            raise SlotTaken(refusal.reason, tuple(sorted(each.slot() for each in refusal.alternatives)))
        if status == 422:
            raise Invalid("The scheduling system does not accept this.", field="/")
        appointment = self._read(AppointmentIn, status, content)
        if appointment.customer_id != owner.customer_id:
            raise NotFound(NO_APPOINTMENT)
        return _appointment(appointment)

    def _read(self, shape: type[Body], status: int, content: bytes) -> Body:
        try:
            if status < 300:
                return shape.model_validate_json(content)
        except ValidationError:
            log.warning("scheduler_reply_is_not_as_agreed", shape=shape.__name__)
        self._metrics.count(DEPENDENCY_DOWN, dependency="scheduler", policy="tell-customer")
        raise SchedulerDown("The scheduling system's reply makes no sense.")


def _text(moment: datetime) -> str:
    return moment.isoformat()


def _segment(confirmation: str) -> str:
    """A number as one segment of a path. Raises NotFound for one that no system gave out."""
    if not confirmation.isascii() or not confirmation.replace("-", "").replace("_", "").isalnum():
        raise NotFound(NO_APPOINTMENT)
    return confirmation


def _appointment(found: AppointmentIn) -> Appointment:
    return Appointment(
        confirmation=found.id,
        service=found.service_type,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        status=found.status,
        vehicle_id=found.vehicle_id,
    )
