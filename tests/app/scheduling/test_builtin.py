"""What a customer may rely on when appointments are in our own database."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.app.scheduling.conftest import Workshop, booking, monday

from genai_app.errors import Conflict, NotFound
from genai_app.scheduling.values import Appointment, Owner, Slot, SlotTaken, Window

pytestmark = pytest.mark.service


async def attempts(*calls: object) -> list[object]:
    """The results of calls that run at the same time, errors among them."""
    return list(await asyncio.gather(*calls, return_exceptions=True))  # type: ignore[call-overload]  # any awaitable


async def test_of_fifty_bookings_of_one_slot_exactly_one_wins_and_the_others_get_alternatives(
    workshop: Workshop,
) -> None:
    scheduler, owners = workshop.scheduler(), [await workshop.customer() for _ in range(50)]
    results = await attempts(*(scheduler.book(owner, booking(monday(10))) for owner in owners))
    winners = [result for result in results if isinstance(result, Appointment)]
    losers = [result for result in results if isinstance(result, SlotTaken)]
    assert (len(winners), len(losers)) == (1, 49)
    assert winners[0].starts_at == monday(10)
    for loser in losers:
        assert loser.why == "taken"
        assert [slot.starts_at for slot in loser.alternatives] == [monday(8), monday(9), monday(11)]
    assert await workshop.pool.fetchval("SELECT count(*) FROM appointments") == 1


async def test_a_slot_takes_as_many_cars_as_there_are_bays(workshop: Workshop) -> None:
    scheduler, owners = workshop.scheduler(bays=3), [await workshop.customer() for _ in range(10)]
    results = await attempts(*(scheduler.book(owner, booking(monday(10))) for owner in owners))
    assert Counter(type(result) for result in results) == {Appointment: 3, SlotTaken: 7}


async def test_fifty_that_move_to_one_slot_at_once_leave_one_there_and_lose_no_appointment(workshop: Workshop) -> None:
    scheduler = workshop.scheduler(bays=3)
    owned = []
    for number in range(15):
        owner = await workshop.customer()
        owned.append((owner, await scheduler.book(owner, booking(monday(8 + number % 5)))))
    one_bay = workshop.scheduler()
    results = await attempts(
        *(one_bay.reschedule(owner, old.confirmation, booking(monday(16))) for owner, old in owned)
    )
    assert Counter(type(result) for result in results) == {Appointment: 1, SlotTaken: 14}
    assert await workshop.pool.fetchval("SELECT count(*) FROM appointments WHERE status = 'scheduled'") == 15


async def test_the_database_itself_refuses_an_overlap_whoever_writes(workshop: Workshop) -> None:
    owner = await workshop.customer()
    await workshop.scheduler().book(owner, booking(monday(10)))
    with pytest.raises(asyncpg.ExclusionViolationError):
        await workshop.pool.execute(
            "INSERT INTO appointments (customer_id, service_type, scheduled_date) VALUES ($1, 'by hand', $2)",
            owner.customer_id,
            monday(10, 30),
        )


async def test_the_same_key_again_is_the_same_appointment_also_at_the_same_instant(workshop: Workshop) -> None:
    scheduler, owner, wish = workshop.scheduler(bays=5), await workshop.customer(), booking(monday(10))
    results = await attempts(*(scheduler.book(owner, wish) for _ in range(10)), scheduler.book(owner, wish))
    assert len({result.confirmation for result in results if isinstance(result, Appointment)}) == 1
    assert await workshop.pool.fetchval("SELECT count(*) FROM appointments") == 1


async def test_a_key_does_not_stand_for_two_bookings(workshop: Workshop) -> None:
    scheduler, owner, wish = workshop.scheduler(), await workshop.customer(), booking(monday(10))
    await scheduler.book(owner, wish)
    with pytest.raises(Conflict, match="key"):
        await scheduler.book(owner, replace(wish, service="inspection"))


async def test_a_cancelled_booking_is_not_made_again_by_its_key(workshop: Workshop) -> None:
    scheduler, owner, wish = workshop.scheduler(), await workshop.customer(), booking(monday(10))
    booked = await scheduler.book(owner, wish)
    assert (await scheduler.cancel(owner, booked.confirmation)).status == "cancelled"
    assert (await scheduler.cancel(owner, booked.confirmation)).status == "cancelled"
    assert (await scheduler.book(owner, wish)).status == "cancelled"
    assert monday(10) in {slot.starts_at for slot in await scheduler.free_slots(Window(monday(8), monday(18)))}


async def test_a_moved_appointment_keeps_its_number_and_frees_its_old_time(workshop: Workshop) -> None:
    scheduler, owner = workshop.scheduler(), await workshop.customer()
    booked = await scheduler.book(owner, booking(monday(10)))
    for _ in range(2):
        moved = await scheduler.reschedule(owner, booked.confirmation, booking(monday(14)))
        assert (moved.confirmation, moved.starts_at, moved.ends_at) == (booked.confirmation, monday(14), monday(15))
    assert await scheduler.upcoming(owner) == (moved,)
    assert await scheduler.book(await workshop.customer(), booking(monday(10)))


async def test_an_appointment_may_be_moved_into_its_own_time(workshop: Workshop) -> None:
    """Slots of another length: the new time overlaps the old one."""
    scheduler, owner = workshop.scheduler(), await workshop.customer()
    number = await workshop.pool.fetchval(
        "INSERT INTO appointments (customer_id, service_type, scheduled_date) VALUES ($1, 'oil_change', $2)"
        " RETURNING confirmation_number",
        owner.customer_id,
        monday(10, 30),
    )
    assert (await scheduler.reschedule(owner, number, booking(monday(11)))).starts_at == monday(11)


async def test_what_belongs_to_somebody_else_does_not_exist(workshop: Workshop) -> None:
    scheduler, owner, other = workshop.scheduler(), await workshop.customer(), await workshop.customer()
    number = (await scheduler.book(owner, booking(monday(10)))).confirmation
    for foreign in (number, "APT-UNKNOWN"):
        with pytest.raises(NotFound):
            await scheduler.cancel(other, foreign)
        with pytest.raises(NotFound):
            await scheduler.reschedule(other, foreign, booking(monday(11)))
    assert await scheduler.upcoming(other) == ()
    assert [appointment.starts_at for appointment in await scheduler.upcoming(owner)] == [monday(10)]


async def test_a_vehicle_of_somebody_else_is_not_put_into_an_appointment(workshop: Workshop) -> None:
    scheduler, ana, bea = workshop.scheduler(), await workshop.customer(vehicle=True), await workshop.customer()
    own = await scheduler.book(ana, booking(monday(9)))
    foreign = await scheduler.book(Owner(bea.customer_id, ana.vehicle_id), booking(monday(10)))
    assert (own.vehicle_id, foreign.vehicle_id) == (ana.vehicle_id, None)


async def test_without_a_customer_nothing_is_booked(workshop: Workshop) -> None:
    with pytest.raises(NotFound):
        await workshop.scheduler().book(Owner(uuid4()), booking(monday(10)))


@pytest.mark.parametrize(
    ("starts_at", "why"),
    [
        (monday(7), "closed"),
        (monday(10, 30), "closed"),
        (monday(10) - timedelta(days=1), "closed"),
        (datetime(2020, 1, 6, 10, tzinfo=UTC), "past"),
        (monday(10, weeks=60), "too_far"),
    ],
)
async def test_a_time_that_cannot_be_had_is_refused_with_others_that_can(
    starts_at: datetime, why: str, workshop: Workshop
) -> None:
    scheduler, owner = workshop.scheduler(), await workshop.customer()
    booked = await scheduler.book(owner, booking(monday(15)))
    for refused in (
        scheduler.book(owner, booking(starts_at)),
        scheduler.reschedule(owner, booked.confirmation, booking(starts_at)),
    ):
        with pytest.raises(SlotTaken) as error:
            await refused
        assert error.value.why == why
        assert bool(error.value.alternatives) == (why != "too_far")
        for slot in error.value.alternatives:
            assert slot.starts_at > datetime.now(UTC)


async def test_free_slots_are_those_that_can_be_booked(workshop: Workshop) -> None:
    scheduler, owner = workshop.scheduler(), await workshop.customer()
    day = Window(monday(0), monday(0) + timedelta(days=1))
    assert [slot.starts_at.hour for slot in await scheduler.free_slots(day)] == list(range(8, 18))
    await scheduler.book(owner, booking(monday(9)))
    free = await scheduler.free_slots(day)
    assert Slot(monday(9), monday(10)) not in free
    assert len(await scheduler.free_slots(replace(day, limit=2))) == 2
    assert await workshop.scheduler(closed=monday(0).date()).free_slots(day) == ()
    assert all([await scheduler.book(await workshop.customer(), booking(slot.starts_at)) for slot in free])
    assert await scheduler.free_slots(day) == ()
