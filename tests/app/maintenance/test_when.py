"""What people write about days and times, in two languages, read on Wednesday 25 November 2026."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.agents.maintenance.when import When, read

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("next Tuesday at 10", "2026-12-01", "10:00"),
        ("Book me in for Friday, 2 pm please", "2026-11-27", "14:00"),
        ("move it to Thursday 2 pm", "2026-11-26", "14:00"),
        ("this Friday at 9:30", "2026-11-27", "09:30"),
        ("Wednesday", "2026-12-02", None),
        ("tomorrow at noon", "2026-11-26", "12:00"),
        ("the day after tomorrow at 8am", "2026-11-27", "08:00"),
        ("today at 3", "2026-11-25", "15:00"),
        ("in two weeks at 11", "2026-12-09", "11:00"),
        ("in 3 days", "2026-11-28", None),
        ("on December 3rd at 4 p.m.", "2026-12-03", "16:00"),
        ("3 December 2026, 10 o'clock", "2026-12-03", "10:00"),
        ("January 5", "2027-01-05", None),
        ("2026-12-15 at 13:00", "2026-12-15", "13:00"),
        ("on the 30th", "2026-11-30", None),
        ("Tuesday next week at 5 in the afternoon", "2026-12-01", "17:00"),
        ("the 20,000 km service on Monday at 10", "2026-11-30", "10:00"),
        ("12/25 at 10am", "2026-12-25", "10:00"),
        ("próxima terça às 10h", "2026-12-01", "10:00"),
        ("terça-feira às 14h30", "2026-12-01", "14:30"),
        ("amanhã às 9", "2026-11-26", "09:00"),
        ("depois de amanhã às 2 da tarde", "2026-11-27", "14:00"),
        ("hoje às 15 horas", "2026-11-25", "15:00"),
        ("sexta que vem às 16:00", "2026-11-27", "16:00"),
        ("segunda da semana que vem ao meio-dia", "2026-11-30", "12:00"),
        ("daqui a duas semanas", "2026-12-09", None),
        ("em 5 dias às 8", "2026-11-30", "08:00"),
        ("dia 30 às 10", "2026-11-30", "10:00"),
        ("3 de dezembro às 10 da manhã", "2026-12-03", "10:00"),
        ("1º de março", "2027-03-01", None),
        ("sábado às 9h", "2026-11-28", "09:00"),
        ("a revisão de 40.000 km na quinta às 11", "2026-11-26", "11:00"),
        ("15/12/2026 às 13h", "2026-12-15", "13:00"),
    ],
)
def test_a_day_and_a_time(text: str, day: str, clock: str | None) -> None:
    expected = When(day=date.fromisoformat(day), clock=time.fromisoformat(clock) if clock else None)
    assert read(text, TODAY) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("next Friday", When(day=date(2026, 12, 4), nearer=date(2026, 11, 27))),
        ("3/4 at 10", When(either=(date(2027, 4, 3), date(2027, 3, 4)), clock=time(10))),
        ("next week in the morning", When(week=date(2026, 11, 30), part="morning")),
        ("semana que vem à tarde", When(week=date(2026, 11, 30), part="afternoon")),
        ("tomorrow afternoon", When(day=date(2026, 11, 26), part="afternoon")),
        ("amanhã de manhã", When(day=date(2026, 11, 26), part="morning")),
        ("as soon as possible", When(earliest=True)),
        ("o quanto antes", When(earliest=True)),
        ("31/02", When()),
        ("at 25:99", When()),
        ("mais tarde eu vejo", When()),
        ("Which oil does it take?", When()),
        ("It has 128 hp and 5 seats", When()),
        ("", When()),
    ],
)
def test_what_is_vague_or_can_be_read_in_two_ways_is_not_guessed(text: str, expected: When) -> None:
    assert read(text, TODAY) == expected


@pytest.mark.parametrize(("text", "clock"), [("10", time(10)), ("2", time(14)), ("9 am", time(9)), ("99", None)])
def test_a_number_alone_is_a_time_only_when_one_was_asked_for(text: str, clock: time | None) -> None:
    assert read(text, TODAY, expects_time=True).clock == clock
    if text.isdigit():
        assert read(text, TODAY).clock is None


@given(text=st.text(max_size=200), today=st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_no_text_is_an_error(text: str, today: date) -> None:
    found = read(text, today)
    assert found.day is None or found.either == ()


@given(digits=st.text("0123456789/:.- hapmdegnxt", max_size=40))
def test_no_jumble_of_digits_is_an_error(digits: str) -> None:
    assert isinstance(read(digits, TODAY, expects_time=True), When)
