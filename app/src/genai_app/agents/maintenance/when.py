"""Days and times in what people write, in English and Portuguese; pure.

An own small grammar: dateparser, the library for this, gives None for "next Tuesday" (its issue 573), which is how most
people ask. What can be read in two ways is given as such, never guessed.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final, Literal

from genai_app.agents.maintenance.calendar_words import MONTHS, NUMBERS, WEEKDAYS

Part = Literal["morning", "afternoon"]
NOON: Final = time(12)
_FIRST_HOUR_OF_A_DAY: Final = 7
"""People who say "at 2" mean the afternoon; "at 8" is the morning. The proposal says which was understood."""


@dataclass(frozen=True)
class When:
    """What a text says about time; None: nothing.

    `either`: the days that a text may mean, such as 3/4. `nearer`: an earlier day that "next Friday" may mean too.
    `week`: the Monday of a week that was named without a day. `earliest`: whatever is free first.
    """

    day: date | None = None
    clock: time | None = None
    part: Part | None = None
    week: date | None = None
    either: tuple[date, ...] = ()
    nearer: date | None = None
    earliest: bool = False

    @property
    def says_something(self) -> bool:
        """Whether the text named any time at all."""
        return self != When()


def plain(text: str) -> str:
    """Lower case without accents, spaces as one: what all patterns here are written for."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(kept.replace("’", "'").split())


def read(text: str, today: date, *, expects_time: bool = False) -> When:
    """What `text` says; a number alone is a time when one was asked for."""
    rest = _DISTANCE.sub(" ", plain(text))
    found, rest = _first(_DAYS, rest, today)
    clock, rest = _clock(rest, expects_time=expects_time)
    return When(
        day=found.day,
        clock=clock,
        part=_part(rest) if clock is None else None,
        week=found.week if found.day is None else None,
        either=found.either,
        nearer=found.nearer,
        earliest=_EARLIEST.search(rest) is not None,
    )


_DISTANCE: Final = re.compile(r"\b\d[\d.,]*\s*(?:mil\s+)?(?:km|quilometros|kilometers|kilometres|miles|milhas)\b")
_EARLIEST: Final = re.compile(
    r"\b(?:as soon as (?:possible|you can)|asap|(?:the )?(?:earliest|soonest)|first (?:available|free|possible)"
    r"|(?:o )?mais (?:cedo|rapido)(?: possivel)?|o? ?quanto antes|primeir[oa] (?:horario|vaga)|assim que possivel)\b"
)


def _any(names: dict[str, int]) -> str:
    return "(?:" + "|".join(sorted(names, key=len, reverse=True)) + ")"


_WEEKDAY: Final = rf"(?P<weekday>{_any(WEEKDAYS)})(?:[ -]?feira)?"
_MONTH: Final = rf"(?P<month>{_any(MONTHS)})\.?"
_YEAR: Final = r"(?:,? (?:de )?(?P<year>20\d\d))?"
_NEXT_WEEK: Final = r"(?:next week|(?:d?a )?semana que vem|(?:d?a )?proxima semana)"


def _day_after_tomorrow(_: re.Match[str], today: date) -> When:
    return When(day=today + timedelta(days=2))


def _tomorrow(_: re.Match[str], today: date) -> When:
    return When(day=today + timedelta(days=1))


def _today(_: re.Match[str], today: date) -> When:
    return When(day=today)


def _in_some_time(match: re.Match[str], today: date) -> When:
    count = NUMBERS.get(match["count"]) or int(match["count"])
    return When(day=today + timedelta(days=count * (7 if match["unit"] in {"week", "semana"} else 1)))


def _weekday_of_next_week(match: re.Match[str], today: date) -> When:
    return When(day=_monday(today) + timedelta(weeks=1, days=WEEKDAYS[match["weekday"]]))


def _next_weekday(match: re.Match[str], today: date) -> When:
    """In English that of the next calendar week, though some mean the nearest; in Portuguese the nearest."""
    nearest = _upcoming(WEEKDAYS[match["weekday"]], today)
    if match["next"] != "next":
        return When(day=nearest)
    following = _monday(today) + timedelta(weeks=1, days=WEEKDAYS[match["weekday"]])
    return When(day=following, nearer=nearest if nearest < following else None)


def _weekday(match: re.Match[str], today: date) -> When:
    return When(day=_upcoming(WEEKDAYS[match["weekday"]], today))


def _next_week(_: re.Match[str], today: date) -> When:
    return When(week=_monday(today) + timedelta(weeks=1))


def _iso(match: re.Match[str], _: date) -> When:
    return When(day=_date(int(match["year"]), int(match["month"]), int(match["day"])))


def _numeric(match: re.Match[str], today: date) -> When:
    """Day first, or month first where that is a day too: then both."""
    first, second, year = int(match["first"]), int(match["second"]), match["year"]
    if year is None:
        found = (_coming(second, first, today), _coming(first, second, today))
    else:
        full = int(year) + (2000 if len(year) == 2 else 0)
        found = (_date(full, second, first), _date(full, first, second))
    days = tuple(dict.fromkeys(day for day in found if day is not None))
    return When(day=days[0]) if len(days) == 1 else When(either=days)


def _named_month(match: re.Match[str], today: date) -> When:
    day, month = int(match["day"]), MONTHS[match["month"]]
    return When(day=_date(int(match["year"]), month, day) if match["year"] else _coming(month, day, today))


def _day_of_month(match: re.Match[str], today: date) -> When:
    """The next day of that number."""
    number = int(match["day"])
    days = (today + timedelta(days=ahead) for ahead in range(63))
    return When(day=next((day for day in days if day.day == number), None))


_DAYS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], When]], ...]] = tuple(
    (re.compile(rf"\b{pattern}\b"), meaning)
    for pattern, meaning in (
        (r"(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)", _iso),
        (r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year>\d{4}|\d\d))?", _numeric),
        (rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|o)?(?: of| de)? {_MONTH}{_YEAR}", _named_month),
        (rf"{_MONTH} (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?{_YEAR}", _named_month),
        (r"(?:the day after tomorrow|depois de amanha)", _day_after_tomorrow),
        (r"(?:tomorrow|amanha)", _tomorrow),
        (r"(?:today|hoje|this morning|this afternoon)", _today),
        (
            rf"(?:in|daqui a|dentro de|em) (?P<count>\d{{1,2}}|{_any(NUMBERS)}) (?P<unit>day|week|dia|semana)s?"
            r"(?: from now)?",
            _in_some_time,
        ),
        (rf"{_WEEKDAY},? (?:of )?{_NEXT_WEEK}", _weekday_of_next_week),
        (rf"{_NEXT_WEEK},?(?: on| na| no)? {_WEEKDAY}", _weekday_of_next_week),
        (rf"(?P<next>next|proxim[ao]) {_WEEKDAY}", _next_weekday),
        (rf"(?:this |coming |on |n?est[ae] |na |no )?{_WEEKDAY}(?: que vem)?", _weekday),
        (_NEXT_WEEK, _next_week),
        (r"(?:dia|the) (?P<day>\d{1,2})(?:st|nd|rd|th)?(?! ?(?:h|:|am|pm))", _day_of_month),
    )
)

_HALF: Final = (
    r"(?:\s*(?:(?P<am>a\.?m\.?|(?:da|de) manha|in the morning)"
    r"|(?P<pm>p\.?m\.?|(?:da|de) (?:tarde|noite)|in the (?:afternoon|evening))))"
)
_CLOCKS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?P<hour>\d{{1,2}})(?::|h|\.)(?P<minute>\d\d)(?:h|hs|min)?{_HALF}?(?![\d\w])",
        rf"\b(?P<hour>\d{{1,2}}){_HALF}(?!\w)",
        rf"\b(?P<hour>\d{{1,2}})\s*(?:h|hs|hrs|horas?|o'?clock)\b{_HALF}?",
        rf"(?:\b(?:at|as|a|around|about|to|for|by|from|pelas|para)|@)\s+(?:as\s+|the\s+)?(?P<hour>\d{{1,2}}){_HALF}?(?![\d\w:/.,-])",
    )
)
_NOON: Final = re.compile(r"\b(?:noon|midday|meio[ -]dia)\b")
_NUMBER: Final = re.compile(rf"(?P<hour>\d{{1,2}}){_HALF}?[.!]?")
_PARTS: Final[tuple[tuple[Part, re.Pattern[str]], ...]] = (
    ("morning", re.compile(r"\bmornings?\b|\b(?:de|da|pela) manha\b|\bmanha\b")),
    ("afternoon", re.compile(r"\bafternoons?\b|\b(?<!mais )tarde\b")),
)


def _first(
    rules: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], When]], ...], text: str, today: date
) -> tuple[When, str]:
    """The first rule that finds something, and the text without it."""
    for pattern, meaning in rules:
        match = pattern.search(text)
        if match is not None:
            found = meaning(match, today)
            if found.says_something:
                return found, f"{text[: match.start()]} {text[match.end() :]}"
    return When(), text


def _clock(text: str, *, expects_time: bool) -> tuple[time | None, str]:
    patterns = (_NUMBER.fullmatch(text.strip()),) if expects_time else ()
    for match in (*patterns, *(pattern.search(text) for pattern in _CLOCKS)):
        clock = _time(match) if match else None
        if match and clock:
            return clock, text.replace(match[0], " ", 1)
    return (NOON, _NOON.sub(" ", text)) if _NOON.search(text) else (None, text)


def _time(match: re.Match[str]) -> time | None:
    parts = match.groupdict()
    hour, minute = int(parts["hour"]), int(parts.get("minute") or 0)
    if parts["pm"]:
        hour += 12 if hour < 12 else 0
    elif parts["am"]:
        hour = 0 if hour == 12 else hour
    elif 0 < hour < _FIRST_HOUR_OF_A_DAY and len(parts["hour"]) == 1:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _part(text: str) -> Part | None:
    return next((part for part, pattern in _PARTS if pattern.search(text)), None)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _upcoming(weekday: int, today: date) -> date:
    """The nearest such weekday after today."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _coming(month: int, day: int, today: date) -> date | None:
    """This day of this year, or of the next when it has passed."""
    return next((found for year in (0, 1) if (found := _date(today.year + year, month, day)) and found >= today), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
