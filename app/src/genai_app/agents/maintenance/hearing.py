"""What a message asks of the workshop, by rules, in English and Portuguese; pure.

A question that only looks alike ("How much oil does it take?", "What is the maintenance schedule?") is no wish: then
`wish` is None, and the manuals answer.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from genai_app.agents.maintenance import wishes
from genai_app.agents.maintenance.when import When, plain, read
from genai_app.agents.maintenance.wishes import Wish
from genai_app.llm.vocabulary import Language, language, words
from genai_app.scheduling.services import ServiceName, services

ENOUGH_FOR_A_LANGUAGE: Final = 3
"""Words. Shorter replies ("ok", "10") are taken to be in the language of the dialogue."""
LONGEST: Final = 1000
"""Characters of a message that are looked at: wishes are short."""


@dataclass(frozen=True)
class Heard:
    """What a message says. `yes` and `no` are those of the whole message, nothing else in it.

    `ordinal`: which of several was chosen, from 0, -1 the last. `moves`: it says "move it", of whatever. `asks`: it is
    a question. `code` is its language; `certain` when it has enough words to tell.
    """

    when: When
    wish: Wish | None = None
    services: tuple[ServiceName, ...] = ()
    yes: bool = False
    no: bool = False
    confirmation: str = ""
    ordinal: int | None = None
    moves: bool = False
    asks: bool = False
    code: Language = "en"
    certain: bool = False


def hear(message: str, today: date, *, expects_time: bool = False) -> Heard:
    """Understand one message; `expects_time`: a number alone is a time."""
    cut = message[:LONGEST]
    text, named, when = plain(cut), services_in(cut), read(cut, today, expects_time=expects_time)
    confirmation = wishes.CONFIRMATION.search(text)
    asks = wishes.QUESTION.search(text) is not None
    return Heard(
        when=when,
        wish=_wish(text, named, when, asks=asks),
        services=named,
        yes=wishes.YES.fullmatch(text) is not None,
        no=wishes.NO.fullmatch(text) is not None,
        confirmation=confirmation[0].upper() if confirmation else "",
        ordinal=next(
            (place if place < 3 else -1 for place, each in enumerate(wishes.ORDINALS) if each.search(text)), None
        ),
        moves=wishes.MOVES_IT.search(text) is not None,
        asks=asks,
        code=language(cut),
        certain=len(text.split()) >= ENOUGH_FOR_A_LANGUAGE,
    )


def services_in(text: str) -> tuple[ServiceName, ...]:
    """The services that a text names, in the order of the price list."""
    said = f" {' '.join(words(text))} "
    return tuple(each.name for each in services() if any(f" {phrase} " in said for phrase in each.phrases))


def _wish(text: str, named: tuple[ServiceName, ...], when: When, *, asks: bool) -> Wish | None:
    if wishes.PRICE.search(text) and (named or wishes.ANY_SERVICE.search(text)):
        return "prices"
    found = next((wish for wish, pattern in wishes.WISHES if pattern.search(text)), None)
    if found is None and named and (when.day or when.clock) and (not asks or wishes.ASKS_FOR_IT.search(text)):
        return "book"  # "oil change next Tuesday at 10"
    return found
