"""What happens in a turn, in this order, whatever the transport:

    Progress("starting")  →  Progress(another step)*, Token*  →  Complete

A `Progress` is sent when its step really begins; an answer that is known already has no steps and no tokens. The tokens
joined are a preview: `Complete` has the answer that counts. `Complete` comes exactly once, last, and both messages are
stored by then. A turn that fails raises an error of the tree instead; nothing of it is then stored.
REST folds the events into one reply; server-sent events and WebSocket forward them as frames (`frames.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from genai_app.agents.conversation import Answer

Step = Literal["starting", "agent_routing", "rag_retrieval", "tool_call", "generating"]

MESSAGES: Final[Mapping[Step, str]] = {
    "starting": "I have your message.",
    "agent_routing": "Choosing who answers.",
    "rag_retrieval": "Searching the manuals.",
    "tool_call": "Looking into your records.",
    "generating": "Writing the answer.",
}
"""What a person may be shown while a step takes its time."""


@dataclass(frozen=True)
class Progress:
    """A step begins now."""

    step: Step

    @property
    def message(self) -> str:
        """The step in words."""
        return MESSAGES[self.step]


@dataclass(frozen=True)
class Token:
    """The next piece of the answer's text, as the model writes it."""

    text: str


@dataclass(frozen=True)
class Usage:
    """What the answer took: tokens, and US dollars; all 0 for an answer that was known already."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Complete:
    """The stored answer; `message_id` is the assistant's message, `cached`: an equal question got it before.

    `handoff` is the ticket `{ticket, reason, status, estimated_wait_minutes, message}` when a person takes over.
    """

    answer: Answer
    session_id: str
    message_id: UUID
    cached: bool
    handoff: Mapping[str, Any] | None = None
    usage: Usage = Usage()


Event = Progress | Token | Complete
