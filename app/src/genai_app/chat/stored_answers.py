"""How an answer is stored beside its text, so that the same answer can be given again word for word; pure."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from genai_app.agents.conversation import Answer
from genai_app.chat.events import Complete, Usage
from genai_app.handoff.ticket import Ticket

_ANSWERS: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)
_TICKETS: Final[TypeAdapter[Ticket]] = TypeAdapter(Ticket)
_ELSEWHERE: Final = {"text", "agent", "confidence", "sources", "state"}
"""Fields with a column of their own; `state` belongs to the conversation."""


def details(answer: Answer, *, cached: bool) -> dict[str, Any]:
    """JSON of everything about an answer that no other column holds; its ticket is added where that is opened."""
    found: dict[str, Any] = _ANSWERS.dump_python(answer, mode="json", exclude=_ELSEWHERE)
    return {**found, "cached": cached}


def complete(stored: Mapping[str, Any], session_id: str) -> Complete:
    """The event of a stored answer, from its columns; rows of an older build have fewer details."""
    extra = dict(stored["details"])
    cached, handoff = bool(extra.pop("cached", False)), shown(extra.pop("handoff", None))
    columns = {name: stored[name] for name in ("text", "agent", "confidence", "sources")}
    answer = _ANSWERS.validate_python({**extra, **columns})
    return Complete(answer, session_id, UUID(str(stored["id"])), cached, handoff, usage(answer, cached=cached))


def shown(ticket: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A stored ticket as the customer gets it."""
    return None if ticket is None else _TICKETS.validate_python(ticket).as_json()


def usage(answer: Answer, *, cached: bool) -> Usage:
    """What this answer took; the first one paid for those who get the kept answer."""
    return Usage() if cached else Usage(answer.tokens_in, answer.tokens_out, answer.cost_usd)
