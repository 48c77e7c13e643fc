"""The tools as a table: what models call by name, and the offline dialogue directly.

No tool takes a customer: whose records they work on comes from the token. No tool changes anything: those that would
give a Proposal, and `perform` does it after the customer said yes.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from genai_app.agents.conversation import CustomerScope
from genai_app.agents.maintenance.results import (
    Done,
    FreeSlots,
    History,
    NoCustomer,
    NotFree,
    Own,
    Price,
    Prices,
    Proposal,
    Result,
    Unknown,
)
from genai_app.agents.maintenance.tool_arguments import (
    Arguments,
    BookAppointment,
    CancelAppointment,
    CheckAvailableSlots,
    GetServicePricing,
    Nothing,
    RescheduleAppointment,
)
from genai_app.agents.maintenance.workshop import Workshop
from genai_app.errors import NotFound
from genai_app.scheduling import calendar
from genai_app.scheduling.services import services
from genai_app.scheduling.values import Appointment, Booking, Owner, SlotTaken, Window

SHOWN_TIMES: Final = 60


@dataclass(frozen=True)
class Tool:
    """One tool. `run` gets arguments that fit `arguments`; `personal`: it needs to know the customer."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Workshop, Owner, Any], Awaitable[Result]]
    personal: bool = True

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the arguments."""
        return self.arguments.model_json_schema()


async def check_available_slots(shop: Workshop, _: Owner, asked: CheckAvailableSlots) -> Result:
    """Free times."""
    day, days = asked.preferred_date, asked.days
    times = await _free(shop, day, days)
    later = (
        () if times else (await _free(shop, day + timedelta(days=days), calendar.NEAR.days))[: calendar.ALTERNATIVES]
    )
    return FreeSlots(day, days, times[:SHOWN_TIMES], later)


async def book_appointment(shop: Workshop, _: Owner, asked: BookAppointment) -> Result:
    """A proposal when the time is free."""
    starts_at = shop.wall(asked.date, asked.time)
    refused = await _refusal(shop, starts_at)
    return refused or Proposal("book", asked.service_type, starts_at, key=uuid.uuid4().hex)


async def reschedule_appointment(shop: Workshop, owner: Owner, asked: RescheduleAppointment) -> Result:
    """A proposal when the appointment is the customer's and the time is free."""
    own = await _own(shop, owner, asked.confirmation_number)
    if own is None:
        return Unknown(asked.confirmation_number)
    starts_at = shop.wall(asked.date, asked.time)
    refused = await _refusal(shop, starts_at)
    return refused or Proposal(
        "reschedule", own.service, starts_at, key=uuid.uuid4().hex, confirmation=own.confirmation, was=own.starts_at
    )


async def cancel_appointment(shop: Workshop, owner: Owner, asked: CancelAppointment) -> Result:
    """A proposal when the appointment is the customer's."""
    own = await _own(shop, owner, asked.confirmation_number)
    if own is None:
        return Unknown(asked.confirmation_number)
    return Proposal("cancel", own.service, own.starts_at, key=uuid.uuid4().hex, confirmation=own.confirmation)


async def list_appointments(shop: Workshop, owner: Owner, _: Nothing) -> Result:
    """The customer's upcoming appointments."""
    return Own(tuple(shop.shown(each) for each in await shop.scheduler.upcoming(owner)))


async def get_service_history(shop: Workshop, owner: Owner, _: Nothing) -> Result:
    """What was done to the customer's cars."""
    return History(await shop.records.of(owner.customer_id, owner.vehicle_id))


async def get_service_pricing(_: Workshop, __: Owner, asked: GetServicePricing) -> Result:
    """One price, or all."""
    wanted = (each for each in services() if asked.service_type in {None, each.name})
    return Prices(tuple(Price(each.name, each.from_usd, each.to_usd) for each in wanted))


TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool(
            "check_available_slots",
            "Free times of the workshop, from a day on.",
            CheckAvailableSlots,
            check_available_slots,
            personal=False,
        ),
        Tool(
            "book_appointment",
            "Propose an appointment to the customer, who then confirms it. Only for a time that the customer named.",
            BookAppointment,
            book_appointment,
        ),
        Tool(
            "reschedule_appointment",
            "Propose another time for an appointment of the customer, who then confirms it.",
            RescheduleAppointment,
            reschedule_appointment,
        ),
        Tool(
            "cancel_appointment",
            "Propose to cancel an appointment of the customer, who then confirms it.",
            CancelAppointment,
            cancel_appointment,
        ),
        Tool("list_appointments", "The customer's upcoming appointments.", Nothing, list_appointments),
        Tool("get_service_history", "What was done to the customer's cars.", Nothing, get_service_history),
        Tool(
            "get_service_pricing",
            "Prices of the workshop in US dollars.",
            GetServicePricing,
            get_service_pricing,
            personal=False,
        ),
    )
}


async def use(shop: Workshop, customer: CustomerScope | None, name: str, arguments: Arguments) -> Result:
    """Run a tool for a customer. Raises SchedulerDown, DatabaseDown."""
    tool, owner = TOOLS[name], owner_of(customer)
    if owner is None and tool.personal:
        return NoCustomer()
    return await tool.run(shop, owner or NOBODY, arguments)


async def perform(shop: Workshop, customer: CustomerScope | None, proposal: Proposal) -> Result:
    """Do what the customer said yes to; once, however often it is called. Raises SchedulerDown, DatabaseDown."""
    owner = owner_of(customer)
    if owner is None:
        return NoCustomer()
    booking = Booking(proposal.service, proposal.starts_at.astimezone(UTC), proposal.key)
    try:
        if proposal.action == "book":
            appointment = await shop.scheduler.book(owner, booking)
        elif proposal.action == "reschedule":
            appointment = await shop.scheduler.reschedule(owner, proposal.confirmation, booking)
        else:
            appointment = await shop.scheduler.cancel(owner, proposal.confirmation)
    except SlotTaken as taken:
        near = tuple(shop.local(slot.starts_at) for slot in taken.alternatives)
        return NotFree(proposal.starts_at, near, passed=taken.why == "past")
    except NotFound:
        return Unknown(proposal.confirmation)
    return Done(proposal.action, shop.shown(appointment))


def owner_of(customer: CustomerScope | None) -> Owner | None:
    """Whose records: by the token; None when the account has no customer record."""
    if customer is None or customer.customer_id is None:
        return None
    return Owner(customer.customer_id, customer.vehicle_id)


NOBODY: Final = Owner(uuid.UUID(int=0))
"""Stands where a tool that needs no customer gets one."""


async def _own(shop: Workshop, owner: Owner, confirmation: str) -> Appointment | None:
    wanted = confirmation.strip().upper()
    own = await shop.scheduler.upcoming(owner)
    return next((shop.shown(each) for each in own if each.confirmation.upper() == wanted), None)


async def _refusal(shop: Workshop, starts_at: datetime) -> NotFree | None:
    """None when the time is free now; alternatives are of the two weeks around it, or from now when it passed."""
    passed = starts_at <= shop.now()
    first = shop.today if passed else max(shop.today, starts_at.date() - calendar.NEAR / 2)
    free = await _free(shop, first, calendar.NEAR.days)
    if starts_at in free:
        return None
    nearest = sorted(free, key=lambda each: abs(each - starts_at))[: calendar.ALTERNATIVES]
    return NotFree(starts_at, tuple(sorted(nearest)), passed=passed)


async def _free(shop: Workshop, first: date, days: int) -> tuple[datetime, ...]:
    begins, ends = shop.wall(first, time.min), shop.wall(first + timedelta(days=days), time.min)
    slots = await shop.scheduler.free_slots(Window(begins.astimezone(UTC), ends.astimezone(UTC), limit=1000))
    return tuple(shop.local(slot.starts_at) for slot in slots)
