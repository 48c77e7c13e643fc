"""What a dialogue about appointments knows between two messages, and what may be done next: plain values."""

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from genai_app.agents.maintenance.results import Action, Done, Proposal
from genai_app.agents.maintenance.tool_arguments import Arguments
from genai_app.agents.maintenance.when import Part
from genai_app.llm.vocabulary import Language
from genai_app.scheduling.services import ServiceName
from genai_app.scheduling.values import Appointment

Missing = Literal["service", "one_service", "day", "which_day", "time", "which_appointment", "confirm"]


@dataclass(frozen=True)
class Dialogue:
    """What is known. `goal` None: nothing is under way. Days and times are the workshop's own.

    `appointments` are those that the customer may choose from, once they were looked up; `confirmation` is the one that
    was chosen. `offered` are the free times that were said last. `asked` is what was asked last, `misses` how often in
    a row the reply made no sense. `done` is what the last yes did.
    """

    language: Language = "en"
    goal: Action | None = None
    service: ServiceName | None = None
    day: date | None = None
    clock: time | None = None
    part: Part | None = None
    week: date | None = None
    earliest: bool = False
    nearer: date | None = None
    offered: tuple[datetime, ...] = ()
    confirmation: str = ""
    appointments: tuple[Appointment, ...] | None = None
    proposal: Proposal | None = None
    asked: Missing | None = None
    misses: int = 0
    done: Done | None = None


@dataclass(frozen=True)
class UseTool:
    """Call a tool, then `learn` from its result."""

    name: str
    arguments: Arguments


@dataclass(frozen=True)
class Perform:
    """The customer said yes."""

    proposal: Proposal


@dataclass(frozen=True)
class AskFor:
    """Ask for what is missing; `days` are those between which to choose; `again`: the reply made no sense."""

    missing: Missing
    days: tuple[date, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Say:
    """`dropped` after a no, `done_already` after a second yes, `give_up` when patience is over."""

    what: Literal["dropped", "done_already", "give_up"]


@dataclass(frozen=True)
class ReadManuals:
    """The message is none of the calendar's business: the manuals answer."""


Move = UseTool | Perform | AskFor | Say | ReadManuals


def to_json(dialogue: Dialogue) -> dict[str, Any]:
    """As JSON, for the next turn; empty when there is nothing to go on with."""
    if dialogue.goal is None and dialogue.done is None and not dialogue.offered:
        return {}
    found: dict[str, Any] = _adapter().dump_python(dialogue, mode="json", exclude_defaults=True)
    return found


def from_json(state: object) -> Dialogue:
    """The state again; a fresh one when another version wrote it."""
    try:
        return _adapter().validate_python(state)
    except ValidationError:
        return Dialogue()


@cache
def _adapter() -> TypeAdapter[Dialogue]:
    return TypeAdapter(Dialogue)
