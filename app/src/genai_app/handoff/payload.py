"""What the desk gets to read of a conversation: the body of the webhook, masked; pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from genai_app.handoff.ticket import Handoff

MOST_MESSAGES: Final = 10
LONGEST_MESSAGE: Final = 1000
"""Characters of one message in the summary; the last message of the customer is never cut."""

Mask = Callable[[str], str]


def payload(handoff: Handoff, ticket: str, at: datetime, mask: Mask) -> dict[str, Any]:
    """The fields of docs/reference/handoff-webhook.md. Every text of a person or a model goes through `mask`."""
    return {
        "session_id": handoff.session_id,
        "customer_id": str(handoff.customer_id) if handoff.customer_id else None,
        "reason": handoff.reason.value,
        "confidence_score": handoff.confidence,
        "conversation_summary": summary(handoff, mask),
        "last_user_message": mask(handoff.text),
        "metadata": {"ticket": ticket, "agent": handoff.agent, "language": handoff.language},
        "timestamp": at.isoformat(),
    }


def summary(handoff: Handoff, mask: Mask) -> str:
    """The last messages, oldest first, one a line: who, and what they said."""
    said = [(message.role, message.content) for message in handoff.history]
    said.append(("user", handoff.text))
    if handoff.answer is not None:
        said.append(("assistant", handoff.answer))
    return "\n".join(f"{_WHO[role]}: {_short(mask(text))}" for role, text in said[-MOST_MESSAGES:])


_WHO: Final = {"user": "Customer", "assistant": "Assistant"}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"
