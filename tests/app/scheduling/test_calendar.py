"""Opening hours become slots, in the workshop's own time, also when clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.errors import ConfigurationError
from genai_app.main import create_app
from genai_app.scheduling.calendar import Calendar, free, nearest
from genai_app.scheduling.services import ServiceName, known, services
from genai_app.scheduling.values import Slot
from genai_app.settings import Settings

MONDAY = date(2026, 11, 30)


def calendar(hours: str = "Mon-Fri 08:00-18:00", *, zone: str = "UTC", minutes: int = 60, closed: str = "") -> Calendar:
    return Calendar.parse(timezone=zone, opening_hours=hours, slot_minutes=minutes, closed_days=closed)


def starts(slots: tuple[Slot, ...]) -> list[str]:
    return [f"{slot.starts_at:%H:%M}" for slot in slots]


def test_slots_fill_the_opening_hours_and_do_not_overhang() -> None:
    shop = calendar("Mon-Fri 08:00-12:00, Mon-Fri 13:00-17:00, Sat 09:00-10:30", minutes=90)
    assert starts(shop.slots_of(MONDAY)) == ["08:00", "09:30", "13:00", "14:30"]
    assert starts(shop.slots_of(MONDAY + timedelta(days=5))) == ["09:00"]
    assert shop.slots_of(MONDAY + timedelta(days=6)) == ()


def test_hours_are_those_of_the_workshops_time_zone() -> None:
    assert starts(calendar("Mon 08:00-10:00", zone="America/Sao_Paulo").slots_of(MONDAY)) == ["11:00", "12:00"]


def test_a_wall_time_that_a_clock_change_leaves_out_has_no_slot() -> None:
    shop = calendar("Sun 00:00-05:00", zone="Europe/Lisbon")
    assert starts(shop.slots_of(date(2026, 3, 29))) == ["00:00", "01:00", "02:00", "03:00"]
    assert len(shop.slots_of(date(2026, 3, 22))) == 5


def test_a_closed_day_has_no_slots() -> None:
    assert calendar(closed="2026-11-30, 2026-12-25").slots_of(MONDAY) == ()


@given(moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_whatever_is_offered_begins_a_slot_and_nothing_else_does(moment: datetime) -> None:
    shop = calendar(zone="America/New_York")
    offered = shop.slots_between(moment, moment + timedelta(days=3))
    assert list(offered) == sorted(offered)
    for slot in offered:
        assert moment <= slot.starts_at < moment + timedelta(days=3)
        assert shop.slot_at(slot.starts_at) == slot
        assert shop.slot_at(slot.starts_at + timedelta(seconds=1)) is None


def test_a_slot_is_free_while_one_bay_is_and_a_bay_that_is_gone_does_not_count() -> None:
    eight, nine, *_ = calendar().slots_of(MONDAY)
    half_past = Slot(eight.starts_at + timedelta(minutes=30), nine.starts_at + timedelta(minutes=30))
    assert free((eight, nine), [(eight, 1)], 1) == (nine,)
    assert free((eight, nine), [(half_past, 1)], 1) == ()
    assert free((eight, nine), [(eight, 1)], 2) == (eight, nine)
    assert free((eight, nine), [(eight, 3)], 1) == (eight, nine)


def test_the_nearest_are_given_in_the_order_of_time() -> None:
    slots = calendar().slots_of(MONDAY)
    assert starts(nearest(slots, slots[3].starts_at)) == ["10:00", "11:00", "12:00"]


@pytest.mark.parametrize(
    ("fields", "variable"),
    [
        ({"zone": "Mars/Olympus"}, "SERVICE_TIMEZONE"),
        ({"zone": "../../etc/passwd"}, "SERVICE_TIMEZONE"),
        ({"zone": ""}, "SERVICE_TIMEZONE"),
        ({"hours": "always"}, "SERVICE_OPENING_HOURS"),
        ({"hours": "Mon-Fri 18:00-08:00"}, "SERVICE_OPENING_HOURS"),
        ({"hours": "Fri-Mon 08:00-18:00"}, "SERVICE_OPENING_HOURS"),
        ({"hours": "Mon 08:00-25:00"}, "SERVICE_OPENING_HOURS"),
        ({"hours": ""}, "SERVICE_OPENING_HOURS"),
        ({"closed": "Christmas"}, "SERVICE_CLOSED_DAYS"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(fields: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        calendar(
            fields.get("hours", "Mon 08:00-18:00"), zone=fields.get("zone", "UTC"), closed=fields.get("closed", "")
        )


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SERVICE_TIMEZONE": "Mars/Olympus"}, "SERVICE_TIMEZONE"),
        ({"SERVICE_OPENING_HOURS": "at times"}, "SERVICE_OPENING_HOURS"),
        ({"SCHEDULER_API_URL": "localhost:9000"}, "SCHEDULER_API_URL"),
    ],
)
def test_a_process_with_such_a_setting_does_not_start(variables: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        create_app(Settings.from_environment(variables))


def test_the_prices_are_those_of_the_reference() -> None:
    assert {each.name: (str(each.from_usd), str(each.to_usd)) for each in services()} == {
        "oil_change": ("49.99", "79.99"),
        "tire_rotation": ("29.99", "29.99"),
        "inspection": ("89.99", "89.99"),
        "brake_service": ("149.99", "399.99"),
        "transmission_service": ("149.99", "249.99"),
        "air_filter": ("24.99", "49.99"),
        "battery_replacement": ("149.99", "299.99"),
    }
    assert {each.name for each in services()} == set(get_args(ServiceName))
    assert (known("oil_change"), known("wash")) == ("oil_change", None)
