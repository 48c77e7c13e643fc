"""What the agents ask of a scheduler. Two ship: `builtin` on our own tables, `remote` for a system with an HTTP API."""

from typing import Protocol

from genai_app.scheduling.values import Appointment, Booking, Owner, Slot, Window


class Scheduler(Protocol):
    """All times are UTC. Every method may raise SchedulerDown or DatabaseDown.

    An appointment of somebody else does not exist: naming it raises NotFound like any unknown name.
    """

    async def free_slots(self, window: Window) -> tuple[Slot, ...]:
        """Slots that begin in `window` and can be booked now, in order."""

    async def book(self, owner: Owner, booking: Booking) -> Appointment:
        """Book; the same key again gives the same appointment, whatever became of it.

        Raises SlotTaken with alternatives, Conflict when the key was used for another booking, NotFound without a
        customer.
        """

    async def reschedule(self, owner: Owner, confirmation: str, booking: Booking) -> Appointment:
        """Move an upcoming appointment to `booking.starts_at`; to where it is already is no error.

        Raises NotFound, SlotTaken with alternatives.
        """

    async def cancel(self, owner: Owner, confirmation: str) -> Appointment:
        """Cancel an upcoming appointment; a cancelled one stays so without an error. Raises NotFound."""

    async def upcoming(self, owner: Owner) -> tuple[Appointment, ...]:
        """The owner's scheduled appointments from now on, the next one first; at most 20."""
