"""Filling the slots of a booking, a move or a cancellation over several turns; pure.

`next_move` reads a message in the light of what was said before: it gives the new state and what to do. `learn` puts a
tool's result into the state, and `what_is_missing` goes on from there. Nothing is ever done but by a plain "yes" that
directly follows a proposal.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Final

from genai_app.agents.maintenance.dialogue import (
    AskFor,
    Dialogue,
    Missing,
    Move,
    Perform,
    ReadManuals,
    Say,
    UseTool,
)
from genai_app.agents.maintenance.hearing import Heard
from genai_app.agents.maintenance.results import (
    Action,
    Done,
    FreeSlots,
    NoCustomer,
    NotFree,
    Own,
    Proposal,
    Result,
    Unknown,
)
from genai_app.agents.maintenance.tool_arguments import (
    BookAppointment,
    CancelAppointment,
    CheckAvailableSlots,
    GetServicePricing,
    Nothing,
    RescheduleAppointment,
)
from genai_app.agents.maintenance.when import NOON, Part, When
from genai_app.agents.maintenance.wishes import Wish
from genai_app.scheduling.services import known

PATIENCE: Final = 2
"""Replies in a row that nothing can be made of, until a person takes over."""
WEEK: Final = 7
OFFERED: Final = 12
"""Times that are remembered as offered; more are never said at once."""
_GOALS: Final[dict[Wish, Action]] = {"book": "book", "reschedule": "reschedule", "cancel": "cancel"}


def next_move(before: Dialogue, heard: Heard, today: date) -> tuple[Dialogue, Move]:
    """The new state, and what to do about one message."""
    fresh = before == Dialogue()
    dialogue = replace(before, language=heard.code if fresh or heard.certain else before.language)
    settled = _settled(dialogue, heard)
    if settled is not None:
        return settled
    look_up = _look_up(heard, dialogue, today)
    if look_up is not None:
        return replace(dialogue, proposal=None), look_up
    started = _started(dialogue, heard)
    if started.goal is None:
        return Dialogue(language=dialogue.language), ReadManuals()
    filled = _filled(started, heard)
    if heard.when.either:
        return replace(filled, asked="which_day"), AskFor("which_day", heard.when.either)
    if len(heard.services) > 1 and filled.goal == "book" and filled.service is None:
        return _asking(filled, "one_service")
    if filled == dialogue and not heard.yes and heard.wish is None:
        return _not_understood(filled, heard)
    return what_is_missing(replace(filled, misses=0), today)


def what_is_missing(dialogue: Dialogue, today: date) -> tuple[Dialogue, Move]:
    """The next step towards the goal, given what is known by now."""
    if dialogue.goal != "book" and not dialogue.confirmation:
        if dialogue.appointments is None:
            return dialogue, UseTool("list_appointments", Nothing())
        return _asking(dialogue, "which_appointment")
    if dialogue.goal == "cancel":
        return dialogue, UseTool("cancel_appointment", CancelAppointment(confirmation_number=dialogue.confirmation))
    if dialogue.goal == "book" and dialogue.service is None:
        return _asking(dialogue, "service")
    if dialogue.day is None and not dialogue.week and not dialogue.earliest:
        return _asking(dialogue, "day")
    if dialogue.day is None or dialogue.clock is None:
        return dialogue, _free_times(dialogue.day, dialogue.week, today)
    if dialogue.goal == "book" and dialogue.service is not None:
        wish = BookAppointment(service_type=dialogue.service, date=dialogue.day, time=dialogue.clock)
        return dialogue, UseTool("book_appointment", wish)
    other = RescheduleAppointment(confirmation_number=dialogue.confirmation, date=dialogue.day, time=dialogue.clock)
    return dialogue, UseTool("reschedule_appointment", other)


def learn(dialogue: Dialogue, result: Result) -> Dialogue:
    """The state after a tool's result; a result that ends the matter leaves nothing to go on with."""
    if isinstance(result, Proposal):
        return replace(
            dialogue,
            goal=result.action,
            service=known(result.service) if result.action == "book" else None,
            day=result.starts_at.date(),
            clock=result.starts_at.time(),
            confirmation=result.confirmation,
            proposal=result,
            asked="confirm",
            misses=0,
            offered=(),
        )
    if isinstance(result, Done):
        return Dialogue(language=dialogue.language, done=result)
    match result:
        case Unknown() | NoCustomer():
            return Dialogue(language=dialogue.language)
        case NotFree():
            offered = result.alternatives[:OFFERED]
            return replace(dialogue, proposal=None, clock=None, nearer=None, offered=offered, asked="time", misses=0)
        case FreeSlots():
            return _offered(dialogue, result)
        case Own(appointments=own) if dialogue.goal in {"reschedule", "cancel"} and dialogue.appointments is None:
            if not own:
                return Dialogue(language=dialogue.language)
            only = own[0].confirmation if len(own) == 1 else ""
            return replace(dialogue, appointments=own, confirmation=dialogue.confirmation or only)
    return dialogue


def goes_on(before: Dialogue, after: Dialogue) -> bool:
    """Whether a result brought the goal nearer without a word from the customer: then `what_is_missing` goes on."""
    chosen = bool(after.appointments) and before.appointments is None
    picked = after.earliest and after.clock is not None and before.clock is None
    return after.goal is not None and after.proposal is None and (chosen or picked)


def is_reply(dialogue: Dialogue, heard: Heard) -> bool:
    """Whether a message is clearly meant for this dialogue, whatever else it could be about."""
    if heard.wish is not None:
        return True
    if dialogue.goal is None:
        moves = heard.yes or (heard.moves and heard.when.says_something)
        return (dialogue.done is not None and moves) or _takes_an_offer(dialogue, heard)
    chooses = heard.ordinal is not None or bool(heard.confirmation) or bool(heard.services)
    return heard.yes or heard.no or (not heard.asks and (chooses or heard.when.says_something))


def _settled(dialogue: Dialogue, heard: Heard) -> tuple[Dialogue, Move] | None:
    """What a plain yes or no settles."""
    if heard.yes and dialogue.proposal:
        return dialogue, Perform(dialogue.proposal)
    if heard.yes and dialogue.done and dialogue.goal is None:
        return dialogue, Say("done_already")
    if heard.no and dialogue.goal:
        return Dialogue(language=dialogue.language), Say("dropped")
    return None


def _look_up(heard: Heard, dialogue: Dialogue, today: date) -> UseTool | None:
    """A wish that only reads needs no dialogue; one that is under way goes on after it."""
    match heard.wish:
        case "prices":
            one = heard.services[0] if len(heard.services) == 1 else None
            return UseTool("get_service_pricing", GetServicePricing(service_type=one))
        case "history":
            return UseTool("get_service_history", Nothing())
        case "appointments" if dialogue.asked != "which_appointment":
            return UseTool("list_appointments", Nothing())
        case "slots" if dialogue.goal is None:
            return _free_times(heard.when.day, heard.when.week, today)
    return None


def _free_times(day: date | None, week: date | None, today: date) -> UseTool:
    first = day or max(week or today, today)
    return UseTool("check_available_slots", CheckAvailableSlots(preferred_date=first, days=1 if day else WEEK))


def _started(dialogue: Dialogue, heard: Heard) -> Dialogue:
    """Another goal begins anew; moving or cancelling what was just made needs no number."""
    goal = _GOALS.get(heard.wish) if heard.wish else None
    if goal is None and dialogue.goal is None and dialogue.done and heard.moves and heard.when.says_something:
        goal = "reschedule"  # "move it to Thursday", right after booking
    if goal is None and _takes_an_offer(dialogue, heard):
        goal = "book"
    if goal is None or goal == dialogue.goal:
        return dialogue
    if goal == "book":
        return Dialogue(language=dialogue.language, goal=goal, offered=dialogue.offered, day=dialogue.day)
    just_made = dialogue.done.appointment.confirmation if dialogue.done and dialogue.done.action != "cancel" else ""
    return Dialogue(language=dialogue.language, goal=goal, confirmation=just_made)


def _takes_an_offer(dialogue: Dialogue, heard: Heard) -> bool:
    """ "The first one", "at 10": after free times were listed that nobody had asked to book."""
    chooses = heard.ordinal is not None or heard.when.clock is not None
    return dialogue.goal is None and bool(dialogue.offered) and chooses and not heard.asks


def _filled(dialogue: Dialogue, heard: Heard) -> Dialogue:
    """The message's values in place of the older ones; any change takes a proposal back."""
    filled = replace(
        dialogue,
        service=heard.services[0] if len(heard.services) == 1 and dialogue.goal == "book" else dialogue.service,
        confirmation=heard.confirmation or _chosen(dialogue, heard) or dialogue.confirmation,
    )
    if dialogue.goal != "cancel":
        filled = _timed(filled, heard.when, heard.ordinal)
    return filled if filled == dialogue else replace(filled, proposal=None)


def _timed(dialogue: Dialogue, when: When, ordinal: int | None) -> Dialogue:
    offered, timed = dialogue.offered, dialogue
    if when.day is not None:
        timed = replace(timed, day=when.day, nearer=when.nearer, week=None, earliest=False)
    elif when.week is not None:
        timed = replace(timed, week=when.week, day=None, clock=None, nearer=None)
    if when.earliest:
        timed = replace(timed, earliest=True, clock=None)
    elif when.clock is not None:
        same = [each for each in offered if each.time() == when.clock] if when.day is None else []
        day = same[0].date() if len(same) == 1 else timed.day
        timed = replace(timed, clock=when.clock, part=None, day=day)
    elif when.part is not None:
        timed = replace(timed, part=when.part, clock=None)
    elif not when.says_something and ordinal is not None and -1 <= ordinal < len(offered):
        timed = replace(timed, day=offered[ordinal].date(), clock=offered[ordinal].time())
    return timed


def _chosen(dialogue: Dialogue, heard: Heard) -> str:
    """The appointment that an ordinal, or its service, names."""
    own = dialogue.appointments or ()
    if dialogue.asked != "which_appointment" or not own:
        return ""
    if heard.ordinal is not None and heard.ordinal < len(own):
        return own[heard.ordinal].confirmation
    named = [each.confirmation for each in own if each.service in heard.services]
    timed = [each.confirmation for each in own if heard.when.day == each.starts_at.date()]
    return next((found[0] for found in (named, timed) if len(found) == 1), "")


def _offered(dialogue: Dialogue, found: FreeSlots) -> Dialogue:
    """The free times that are said, those of the wished part of the day first; the very first is taken if it may be."""
    times = in_part(found.times, dialogue.part) or found.later
    if dialogue.earliest and times:
        return replace(dialogue, day=times[0].date(), clock=times[0].time(), asked="time")
    only_day = times[0].date() if times and times[0].date() == times[-1].date() else dialogue.day
    return replace(dialogue, offered=times[:OFFERED], day=only_day, asked="time" if times else "day")


def in_part(times: tuple[datetime, ...], part: Part | None) -> tuple[datetime, ...]:
    """The times of a part of the day; all of them when there is none in it."""
    kept = tuple(each for each in times if part is None or (each.time() < NOON) == (part == "morning"))
    return kept or times


def _not_understood(dialogue: Dialogue, heard: Heard) -> tuple[Dialogue, Move]:
    """The message added nothing: a question goes to the manuals, anything else is asked again, but not for ever."""
    if heard.asks:
        return replace(dialogue, proposal=None), ReadManuals()
    if dialogue.misses + 1 >= PATIENCE:
        return Dialogue(language=dialogue.language), Say("give_up")
    missing: Missing = "confirm" if dialogue.proposal else dialogue.asked or "day"
    return replace(dialogue, misses=dialogue.misses + 1), AskFor(missing, again=True)


def _asking(dialogue: Dialogue, missing: Missing) -> tuple[Dialogue, Move]:
    return replace(dialogue, asked=missing), AskFor(missing)
