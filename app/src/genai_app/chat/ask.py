"""What a caller asks for in a turn, and what is known of the turn before it runs; plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from genai_app.admission import Admission
from genai_app.agents.conversation import CustomerScope, HistoryMessage
from genai_app.chat.events import Complete
from genai_app.chat.holding import Hold
from genai_app.chat.kept_answers import Place
from genai_app.handoff.policy import HandoffReason


@dataclass(frozen=True)
class Ask:
    """What the caller sends; `session_id` is None for a new conversation.

    `client_message_id` is the caller's own name for the message, unique in its session: a message that is sent again
    under the same name is answered once. `watched`: somebody sees the answer while it is written.
    """

    message: str
    session_id: str | None = None
    customer_id: UUID | None = None
    vehicle_id: UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    client_message_id: str | None = None
    watched: bool = True


@dataclass(frozen=True)
class Turn:
    """An admitted turn, ready to run.

    `reason`: its words alone call for a person. `confidences` are those of the last answers, oldest first.
    `place` is where its answer may be kept; None: nowhere. `state` is what the session's last answer left.
    `hold` is the right to answer this `client_message_id`. `settled` is the outcome of a turn that needs no work:
    an equal question's answer, or the answer that this very message got before.
    """

    user_id: UUID
    ask: Ask
    session_id: str
    admission: Admission
    customer: CustomerScope | None = None
    reason: HandoffReason | None = None
    history: tuple[HistoryMessage, ...] = ()
    confidences: tuple[float | None, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    place: Place | None = None
    hold: Hold | None = None
    settled: Complete | None = None
