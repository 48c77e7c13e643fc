"""Appointments through the whole API: the state of a dialogue lives in the conversation, the settings have effect."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, running_api
from tests.app.scheduling.conftest import monday
from tests.app.scheduling.system import KEY, running_system

pytestmark = pytest.mark.service

DAY = f"{monday(0):%Y-%m-%d}"


async def test_a_booking_over_several_requests_is_confirmed_once_and_cancelled(own_api: Api) -> None:
    ana, session = await own_api.register(), "garage"
    proposal = (await own_api.chat(ana, f"book an oil change on {DAY} at 10", session_id=session)).json()
    assert proposal["agent_used"] == "maintenance"
    assert proposal["response"].endswith("Shall I book it?")
    assert proposal["metadata"]["tools"][0]["name"] == "book_appointment"
    assert await own_api.sql("SELECT 1 FROM appointments") == []
    first = (await own_api.chat(ana, "yes", session_id=session)).json()
    again = (await own_api.chat(ana, "yes", session_id=session)).json()
    assert first["response"].startswith("Booked: oil change on Monday")
    assert again["response"].endswith(first["response"])
    assert await own_api.sql("SELECT status FROM appointments") == [("scheduled",)]
    other = await own_api.register()
    number = first["response"].rstrip(".").split()[-1]
    refused = (await own_api.chat(other, f"cancel my appointment {number}", session_id=session)).json()
    assert "no upcoming appointment" in refused["response"]
    await own_api.chat(ana, "cancel my appointment", session_id="another")
    cancelled = (await own_api.chat(ana, "yes", session_id="another")).json()
    assert cancelled["response"].startswith("Cancelled: oil change")
    assert await own_api.sql("SELECT status FROM appointments") == [("cancelled",)]


async def test_a_yes_does_not_book_what_another_session_proposed(own_api: Api) -> None:
    ana = await own_api.register()
    await own_api.chat(ana, f"book an oil change on {DAY} at 10", session_id="one")
    await own_api.chat(ana, "yes", session_id="two")
    assert await own_api.sql("SELECT 1 FROM appointments") == []


async def test_hours_bays_time_zone_and_closed_days_are_settings(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    closed, tuesday = (f"{monday(0) + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
    settings = servers.settings(
        database,
        SERVICE_TIMEZONE="America/Sao_Paulo",
        SERVICE_OPENING_HOURS="Mon-Sun 09:00-10:30",
        SERVICE_SLOT_MINUTES="30",
        SERVICE_BAYS="2",
        SERVICE_CLOSED_DAYS=closed,
    )
    async with running_api(settings) as api:
        ana = await api.register()
        free = (await api.chat(ana, f"Which free slots do you have on {closed}?")).json()["response"]
        assert "Nothing is free then." in free
        free = (await api.chat(ana, f"Which free slots do you have on {tuesday}?")).json()["response"]
        assert free.endswith("09:00, 09:30, 10:00.")
        for session in ("first", "second", "third"):
            await api.chat(ana, f"book an oil change on {tuesday} at 9", session_id=session)
            await api.chat(ana, "yes", session_id=session)
        rows = await api.sql("SELECT bay, to_char(scheduled_date AT TIME ZONE 'UTC', 'HH24:MI') FROM appointments")
        assert sorted(rows) == [(1, "12:00"), (2, "12:00")]


async def test_with_a_scheduling_system_appointments_are_kept_there(
    servers: Servers, database: str, redis: Redis
) -> None:
    _ = redis
    async with running_system() as system:
        settings = servers.settings(database, SCHEDULER_API_URL=system.base_url, SCHEDULER_API_KEY=KEY)
        async with running_api(settings) as api:
            ana = await api.register()
            await api.chat(ana, f"book an oil change on {DAY} at 10", session_id="garage")
            booked = (await api.chat(ana, "yes", session_id="garage")).json()
            assert "W-1" in booked["response"]
            assert await api.sql("SELECT 1 FROM appointments") == []
        assert [each["service_type"] for each in system.appointments.values()] == ["oil_change"]


async def test_a_booking_costs_few_statements(servers: Servers, database: str, redis: Redis) -> None:
    """Counted by PostgreSQL: its log holds every statement of this database."""
    _ = redis
    await servers.administer(f"ALTER DATABASE {database} SET log_statement = 'all'")
    log, counts = servers.state.folder / "postgres.log", []
    async with running_api(servers.settings(database)) as api:
        ana = await api.register()
        for message in (f"book an oil change on {DAY} at 10", "yes"):
            begin = log.stat().st_size
            assert (await api.chat(ana, message, session_id="garage")).json()["agent_used"] == "maintenance"
            lines = log.read_bytes()[begin:].decode(errors="replace").splitlines()
            counts.append(sum("LOG:  execute" in line or "statement:" in line for line in lines))
    assert all(1 <= count <= 8 for count in counts), counts
