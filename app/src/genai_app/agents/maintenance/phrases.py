"""What customers read, in English and Portuguese: one sentence pattern for each thing to say."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

from genai_app.agents.maintenance.deciding import in_part
from genai_app.agents.maintenance.dialogue import AskFor, Dialogue
from genai_app.agents.maintenance.results import (
    Done,
    FreeSlots,
    History,
    NoCustomer,
    NotFree,
    Own,
    Prices,
    Proposal,
    Result,
    Unknown,
)
from genai_app.agents.maintenance.texts import MONTHS, OR, QUESTIONS, TEXTS, WEEKDAYS
from genai_app.llm.vocabulary import Language
from genai_app.scheduling.services import services
from genai_app.scheduling.values import Appointment

MOST_DAYS: Final = 3
MOST_TIMES: Final = 6
"""Days, and times of one day among several, that one answer lists."""


def say(what: str, code: Language) -> str:
    """A sentence without values."""
    return TEXTS[what][code]


def question(ask: AskFor, dialogue: Dialogue) -> str:
    """A question for what is missing."""
    code = dialogue.language
    if ask.missing == "confirm" and dialogue.proposal:
        return f"{proposal(dialogue.proposal, code)} {say('yes_or_no', code)}"
    text = QUESTIONS[ask.missing][code].format(
        services=", ".join(each.label[code] for each in services()),
        days=OR[code].join(the_day(day, code) for day in ask.days),
        lines=_lines(dialogue.appointments or (), code),
    )
    return _text("again", code, question=text) if ask.again else text


def result(found: Result, dialogue: Dialogue) -> str:
    """A tool's result as sentences; `dialogue` is the state after it."""
    code = dialogue.language
    match found:
        case Proposal():
            near = _nearer(dialogue.nearer, code)
            return f"{proposal(found, code)} {near}".strip()
        case Done():
            return done(found, code)
        case NotFree():
            head = _text("passed" if found.passed else "not_free", code, moment=the_moment(found.wish, code))
            tail = "near_it" if found.alternatives else "nothing_near"
            return f"{_capital(head)} {_text(tail, code, times=_times(found.alternatives, code))}"
        case FreeSlots():
            return _free(found, dialogue)
        case Own(appointments=own):
            return _text("own", code, lines=_lines(own, code)) if own else say("own_none", code)
        case Unknown():
            return _text("unknown", code, confirmation=found.confirmation)
        case NoCustomer():
            return say("no_customer", code)
        case History():
            return _history(found, code)
        case Prices():
            return _prices(found, code)


def proposal(found: Proposal, code: Language) -> str:
    """What a yes will do."""
    return _capital(
        _text(
            f"propose_{found.action}",
            code,
            service=label(found.service, code),
            moment=the_moment(found.starts_at, code),
            was=the_moment(found.was, code) if found.was else "",
            confirmation=found.confirmation,
            price=price_of(found.service, code),
        )
    )


def done(found: Done, code: Language) -> str:
    """What was done."""
    return _text(f"done_{found.action}", code, **_appointment(found.appointment, code))


def done_already(found: Done, code: Language) -> str:
    """What was done before, said once more."""
    return _text("done_already", code, again=done(found, code))


def label(service: str, code: Language) -> str:
    """A service as customers call it; a name of another system as it is."""
    return next((each.label[code] for each in services() if each.name == service), service.replace("_", " "))


def price_of(service: str, code: Language) -> str:
    """`49.99 to 79.99 USD`; empty for a service that is not in the price list."""
    found = next((each for each in services() if each.name == service), None)
    return _range(found.from_usd, found.to_usd, code) if found else ""


def the_day(day: date, code: Language) -> str:
    """`Tuesday 1 December 2026`."""
    return _text(
        "day", code, weekday=WEEKDAYS[code][day.weekday()], day=str(day.day), month=MONTHS[code][day.month - 1],
        year=str(day.year),
    )  # fmt: skip


def the_moment(moment: datetime, code: Language) -> str:
    """`Tuesday 1 December 2026 at 10:00`."""
    return _text("moment", code, day=the_day(moment.date(), code), clock=f"{moment:%H:%M}")


def _free(found: FreeSlots, dialogue: Dialogue) -> str:
    code = dialogue.language
    times = in_part(found.times, dialogue.part)
    if times:
        text = _text("free", code, times=_times(times, code))
    elif found.later:
        text = _text("free_later", code, times=_times(found.later, code))
    else:
        text = say("free_none", code)
    if dialogue.goal is None:
        return text
    return f"{text} {say('which_time' if times or found.later else 'which_day_at_all', code)}"


def _times(times: Sequence[datetime], code: Language) -> str:
    """`Tuesday 1 December 2026: 09:00, 10:00; Wednesday …`."""
    days = [(day, [f"{each:%H:%M}" for each in group]) for day, group in groupby(times, datetime.date)]
    most = MOST_TIMES if len(days) > 1 else len(times)
    return "; ".join(
        _text("on_day", code, day=the_day(day, code), times=", ".join(clocks[:most]))
        for day, clocks in days[:MOST_DAYS]
    )


def _history(found: History, code: Language) -> str:
    if not found.records:
        return say("history_none", code)
    lines = (
        ", ".join(
            part
            for part in (
                f"- {label(each.service, code)}",
                the_day(each.done_at.date(), code) if each.done_at else "",
                f"{each.mileage:,} km" if each.mileage is not None else "",
                f"{each.cost_usd} USD" if each.cost_usd is not None else "",
                each.vehicle,
            )
            if part
        )
        for each in found.records
    )
    return _text("history", code, lines="\n".join(lines))


def _prices(found: Prices, code: Language) -> str:
    lines = [(label(each.service, code), _range(each.from_usd, each.to_usd, code)) for each in found.prices]
    if len(lines) == 1:
        return _capital(_text("price", code, service=lines[0][0], price=lines[0][1]))
    return _text("prices", code, lines="\n".join(f"- {service}: {price}" for service, price in lines))


def _range(low: Decimal, high: Decimal, code: Language) -> str:
    return _text("price_one" if low == high else "price_range", code, low=str(low), high=str(high))


def _lines(own: Sequence[Appointment], code: Language) -> str:
    return "\n".join(_text("own_line", code, **_appointment(each, code)) for each in own)


def _appointment(found: Appointment, code: Language) -> dict[str, str]:
    return {
        "service": label(found.service, code),
        "moment": the_moment(found.starts_at, code),
        "confirmation": found.confirmation,
    }


def _nearer(day: date | None, code: Language) -> str:
    if day is None:
        return ""
    return _text("nearer", code, day=the_day(day, code), weekday=WEEKDAYS[code][day.weekday()])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(what: str, code: Language, **values: str) -> str:
    return TEXTS[what][code].format(**values)
