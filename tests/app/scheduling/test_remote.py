"""What customers may rely on when the workshop's own system keeps the appointments, also when it fails."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest
from tests.app.scheduling.conftest import booking, monday
from tests.app.scheduling.system import KEY, Fault, System, running_system

from genai_app.errors import Conflict, Invalid, NotFound
from genai_app.metrics import Metrics
from genai_app.scheduling.remote import RemoteScheduler
from genai_app.scheduling.scheduling_server import LARGEST_REPLY, SchedulingServer
from genai_app.scheduling.values import Owner, SchedulerDown, Slot, SlotTaken, Window
from genai_app.settings import Settings

pytestmark = pytest.mark.service

DAY = Window(monday(0), monday(23))


@pytest.fixture
async def system() -> AsyncIterator[System]:
    """The workshop's system."""
    async with running_system() as running:
        yield running


@pytest.fixture
def metrics() -> Metrics:
    """Of the scheduler under test."""
    return Metrics("test")


@pytest.fixture
async def scheduler(system: System, metrics: Metrics) -> AsyncIterator[RemoteScheduler]:
    """A scheduler of that system, as the settings make one."""
    settings = Settings.from_environment(
        {"SCHEDULER_API_URL": f"{system.base_url}/", "SCHEDULER_API_KEY": KEY, "SCHEDULER_TIMEOUT_SECONDS": "2"}
    )
    async with httpx2.AsyncClient(trust_env=False) as http:
        yield RemoteScheduler(SchedulingServer.from_settings(settings, http), metrics)


def owner() -> Owner:
    """Somebody with a car."""
    return Owner(uuid4(), uuid4())


async def test_an_appointment_is_booked_moved_listed_and_cancelled(scheduler: RemoteScheduler) -> None:
    ana = owner()
    booked = await scheduler.book(ana, booking(monday(10)))
    assert (booked.service, booked.starts_at, booked.ends_at) == ("oil_change", monday(10), monday(11))
    assert booked.vehicle_id == ana.vehicle_id
    assert Slot(monday(10), monday(11)) not in await scheduler.free_slots(DAY)
    moved = await scheduler.reschedule(ana, booked.confirmation, booking(monday(14)))
    assert await scheduler.upcoming(ana) == (moved,)
    assert (moved.confirmation, moved.starts_at) == (booked.confirmation, monday(14))
    for _ in range(2):
        assert (await scheduler.cancel(ana, booked.confirmation)).status == "cancelled"
    assert await scheduler.upcoming(ana) == ()


async def test_a_taken_time_comes_back_with_alternatives(scheduler: RemoteScheduler) -> None:
    await scheduler.book(owner(), booking(monday(10)))
    with pytest.raises(SlotTaken) as refused:
        await scheduler.book(owner(), booking(monday(10)))
    assert refused.value.why == "taken"
    assert [slot.starts_at for slot in refused.value.alternatives] == [monday(8), monday(9), monday(11), monday(12)]
    with pytest.raises(SlotTaken) as closed:
        await scheduler.book(owner(), booking(monday(3)))
    assert closed.value.why == "closed"


async def test_what_belongs_to_somebody_else_does_not_exist(scheduler: RemoteScheduler, system: System) -> None:
    booked = await scheduler.book(owner(), booking(monday(10)))
    for number in (booked.confirmation, "W-99", "../slots", "a/b", "?x=1", ""):
        with pytest.raises(NotFound):
            await scheduler.cancel(owner(), number)
    assert not any("slots" in request for request in system.requests)


@pytest.mark.parametrize("lie", ["list", "reply"])
async def test_an_appointment_of_somebody_else_is_not_shown_even_if_the_system_sends_it(
    lie: str, scheduler: RemoteScheduler, system: System
) -> None:
    await scheduler.book(owner(), booking(monday(10)))
    [foreign] = system.appointments.values()
    sent = {"appointments": [foreign]} if lie == "list" else foreign
    system.faults = [Fault(status=200, body=json.dumps(sent).encode())]
    if lie == "list":
        assert await scheduler.upcoming(owner()) == ()
    else:
        with pytest.raises(NotFound):
            await scheduler.cancel(owner(), "W-1")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503),
        Fault(status=500, after=True),
        Fault(status=429, headers={"Retry-After": "1"}),
        Fault(status=502, after=True),
    ],
    ids=["503", "500 after it was done", "429", "502 after it was done"],
)
async def test_what_fails_on_the_way_is_tried_again_and_booked_once(
    fault: Fault, scheduler: RemoteScheduler, system: System
) -> None:
    system.faults = [fault]
    booked = await scheduler.book(owner(), booking(monday(10)))
    assert list(system.appointments) == [booked.confirmation]
    assert system.requests == ["POST /v1/appointments"] * 2


@pytest.mark.parametrize(
    ("faults", "attempts"),
    [
        ([Fault(status=503)] * 9, 3),
        ([Fault(status=401)], 1),
        ([Fault(status=302, headers={"Location": "http://127.0.0.1:1/"})], 1),
        ([Fault(status=429, headers={"Retry-After": "3600"})], 1),
        ([Fault(status=200, body=b"garbage")], 1),
        ([Fault(status=200, body=b'{"slots": [{"starts_at": "tomorrow"}]}')], 1),
        ([Fault(status=200, body=b'{"slots": [{"starts_at": "2026-12-01T10:00:00", "ends_at": "x"}]}')], 1),
        ([Fault(status=200, body=b" " * (LARGEST_REPLY + 1))], 1),
        ([Fault(hangs=True)], 1),
    ],
    ids=["503", "401", "redirect", "long wait", "garbage", "no date", "no offset", "too large", "hangs"],
)
async def test_a_system_that_fails_is_down_in_words_of_ours(
    faults: list[Fault], attempts: int, scheduler: RemoteScheduler, system: System, metrics: Metrics
) -> None:
    system.faults = list(faults)
    with pytest.raises(SchedulerDown) as down:
        await scheduler.free_slots(DAY)
    assert "http" not in str(down.value).lower()
    assert len(system.requests) == attempts
    assert 'dependency_down_total{dependency="scheduler",policy="tell-customer"} 1.0' in metrics.render().decode()


async def test_nobody_at_the_address_is_down(metrics: Metrics) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        for url in ("http://127.0.0.1:1", "nonsense://x", "http://[::1"):
            server = SchedulingServer(http, url, "", 2)
            with pytest.raises(SchedulerDown):
                await RemoteScheduler(server, metrics).free_slots(DAY)


async def test_a_refused_key_and_a_refused_booking_are_told_apart(scheduler: RemoteScheduler, system: System) -> None:
    system.faults = [Fault(status=409, body=b'{"code": "key-used"}'), Fault(status=422, body=b"{}")]
    with pytest.raises(Conflict, match="key"):
        await scheduler.book(owner(), booking(monday(10)))
    with pytest.raises(Invalid):
        await scheduler.book(owner(), booking(monday(10)))
