"""The frames of a streaming chat, in both directions; pure. The WebSocket and server-sent events use the same ones.

Client: auth, message, feedback, cancel, ping. Server: auth_success, auth_error, progress, token, complete, error, pong.
"""

import dataclasses
import json
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter

from genai_app.auth.identity import Identity
from genai_app.chat.ask import Ask
from genai_app.chat.events import Complete, Event, Progress, Token
from genai_app.chat.feedback import Feedback
from genai_app.chat.schemas import metadata_of, usage_of
from genai_app.fields import ClientMessageId, Message, Metadata, SessionName

Frame = dict[str, Any]


class AuthFrame(BaseModel):
    """The access token: first of all when it is not in the subprotocol, and again when a fresh one is needed."""

    type: Literal["auth"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=8192)]


class MessageFrame(BaseModel):
    """A message of the customer; `session_id` only where the path names no session."""

    type: Literal["message"]
    message: Message
    client_message_id: ClientMessageId | None = None
    session_id: SessionName | None = None
    customer_id: UUID | None = None
    vehicle_id: UUID | None = None
    metadata: Metadata = Field(default_factory=dict)

    def ask(self, session_id: str) -> Ask:
        """The same, for the service."""
        return Ask(self.message, session_id, self.customer_id, self.vehicle_id, self.metadata, self.client_message_id)


class FeedbackFrame(Feedback):
    """An opinion about an answer. What is stored is not confirmed; what cannot be is an `error`."""

    type: Literal["feedback"]


class CancelFrame(BaseModel):
    """Stop the running turn. Without one, and when its answer is being stored already, nothing happens."""

    type: Literal["cancel"]


class PingFrame(BaseModel):
    """Asks for a `pong`, for clients that cannot see the protocol's own pings."""

    type: Literal["ping"]


ClientFrame = AuthFrame | MessageFrame | FeedbackFrame | CancelFrame | PingFrame
_CLIENT: Final[TypeAdapter[ClientFrame]] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` makes a new one for each call with arguments of its own."""

PONG: Final = _ENCODER.encode({"type": "pong"})


def parse(text: str) -> ClientFrame:
    """A client's frame. Raises pydantic.ValidationError: `json_invalid` among its errors means that it is no JSON."""
    return _CLIENT.validate_json(text)


def encode(frame: Frame) -> str:
    """A frame as it goes over the wire, in one line."""
    return _ENCODER.encode(frame)


def frame_of(event: Event) -> Frame:
    """The server's frame of what happens in a turn."""
    match event:
        case Progress():
            return {"type": "progress", "step": event.step, "message": event.message}
        case Token():
            return {"type": "token", "token": event.text}
        case Complete():
            return _complete(event)


def error_frame(problem: Frame) -> Frame:
    """The frame of a problem (RFC 9457)."""
    return {"type": "error", "problem": problem}


def auth_success(who: Identity) -> Frame:
    """The caller is known."""
    return {"type": "auth_success", "user": {"id": str(who.user_id), "email": who.email, "name": who.name}}


def auth_error(problem: Frame) -> Frame:
    """The caller is not known; the connection ends with this."""
    return {"type": "auth_error", "problem": problem}


def _complete(event: Complete) -> Frame:
    answer = event.answer
    return {
        "type": "complete",
        "response": answer.text,
        "session_id": event.session_id,
        "message_id": str(event.message_id),
        "agent": answer.agent,
        "confidence": answer.confidence,
        "sources": [dataclasses.asdict(source) for source in answer.sources],
        "handoff": event.handoff,
        "cached": event.cached,
        "usage": usage_of(event),
        "metadata": metadata_of(event),
    }
