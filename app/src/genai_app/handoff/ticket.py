"""What a turn hands over and what the customer gets for it: plain values."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from genai_app.agents.conversation import HistoryMessage
from genai_app.handoff.policy import HandoffReason
from genai_app.handoff.texts import ticket_message
from genai_app.llm.vocabulary import Language

Status = Literal["queued", "assigned", "in_progress", "resolved"]

EXPECTED_WAIT_MINUTES: Final = 5
"""What customers are told until the desk says better."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O, U: a ticket is read out on the telephone."""
_LENGTH: Final = 10


@dataclass(frozen=True)
class Handoff:
    """A turn that a person takes over.

    `text` is what the customer has just written, `answer` what the agent said to it (None: nobody was asked), `history`
    what was said before, oldest first. `confidence` is the answer's, 0..1. `agent` is "none" when nobody was asked.
    """

    reason: HandoffReason
    session_id: str
    user_id: UUID
    customer_id: UUID | None
    text: str
    language: Language
    history: tuple[HistoryMessage, ...] = ()
    answer: str | None = None
    agent: str = "none"
    confidence: float | None = None


@dataclass(frozen=True)
class Ticket:
    """What the customer gets, in the language of the question; stored beside the answer as it is."""

    ticket: str
    reason: HandoffReason
    status: Status
    estimated_wait_minutes: int
    language: Language

    @property
    def message(self) -> str:
        """The line for people."""
        return ticket_message(self.ticket, self.estimated_wait_minutes, self.language)

    def as_json(self) -> Mapping[str, Any]:
        """The reply's `handoff`."""
        return {
            "ticket": self.ticket,
            "reason": self.reason,
            "status": self.status,
            "estimated_wait_minutes": self.estimated_wait_minutes,
            "message": self.message,
        }


def new_ticket() -> str:
    """`ESC-` and ten characters that nobody can guess."""
    return "ESC-" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
