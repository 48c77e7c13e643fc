"""Bodies of the chat routes."""

import dataclasses
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from genai_app.chat.ask import Ask
from genai_app.chat.events import Complete
from genai_app.errors import Invalid
from genai_app.fields import ClientMessageId, Message, Metadata, SessionName


class ChatRequest(BaseModel):
    """One message. Without `session_id` a new conversation begins, whose id is in the reply.

    With a `client_message_id` a message may be sent again after a lost connection: it is answered once, and every
    repeat gets that answer.
    """

    message: Message = Field(examples=["Which engine oil does the GenAuto X1 take?"])
    session_id: SessionName | None = None
    customer_id: UUID | None = None
    vehicle_id: UUID | None = None
    metadata: Metadata = Field(default_factory=dict)
    client_message_id: ClientMessageId | None = None

    def ask(self, *, watched: bool) -> Ask:
        """The same, for the service. Raises Invalid when a repeat could not be recognised."""
        if self.client_message_id is not None and self.session_id is None:
            raise Invalid("client_message_id needs the session_id in which it is unique", field="/session_id")
        return Ask(
            self.message,
            self.session_id,
            self.customer_id,
            self.vehicle_id,
            self.metadata,
            self.client_message_id,
            watched=watched,
        )


class SourceOut(BaseModel):
    """A passage that the answer rests on; `score` is its cosine similarity to the question."""

    model_config = ConfigDict(from_attributes=True)

    source: str
    heading: str
    document_type: str
    score: float


class ChatResponse(BaseModel):
    """The stored answer. `confidence` is the answer's, `metadata.routing.confidence` that of choosing the agent."""

    response: str
    session_id: str
    message_id: UUID
    agent_used: str
    confidence: float
    sources: list[SourceOut]
    handoff: dict[str, Any] | None = None
    cached: bool
    metadata: dict[str, Any]

    @classmethod
    def of(cls, event: Complete) -> "ChatResponse":
        """The reply to a completed turn."""
        answer = event.answer
        return cls(
            response=answer.text,
            session_id=event.session_id,
            message_id=event.message_id,
            agent_used=answer.agent,
            confidence=answer.confidence,
            sources=[SourceOut.model_validate(source) for source in answer.sources],
            handoff=dict(event.handoff) if event.handoff else None,
            cached=event.cached,
            metadata=metadata_of(event),
        )


def metadata_of(event: Complete) -> dict[str, Any]:
    """How an answer came about, as JSON."""
    answer = event.answer
    return {
        "routing": dataclasses.asdict(answer.routing),
        "provider": answer.provider,
        "model": answer.model,
        "usage": usage_of(event),
        "tools": [dataclasses.asdict(tool) for tool in answer.tools],
        "language": answer.language,
        "requires_professional": answer.requires_professional,
        "safety_warning": answer.safety_warning,
        "diagnosis": dataclasses.asdict(answer.diagnosis) if answer.diagnosis else None,
    }


def usage_of(event: Complete) -> dict[str, Any]:
    """Tokens and US dollars of an answer, as JSON."""
    usage = event.usage
    return {
        "input_tokens": usage.tokens_in,
        "output_tokens": usage.tokens_out,
        "cost_usd": float(usage.cost_usd),
    }


class SessionOut(BaseModel):
    """A conversation in the list; `messages` counts them."""

    model_config = ConfigDict(from_attributes=True)

    session_id: str
    created_at: datetime
    updated_at: datetime
    messages: int


class MessageOut(BaseModel):
    """A stored message; `agent`, `confidence` and `sources` only on the assistant's."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    role: str
    content: str
    agent: str | None
    confidence: float | None
    sources: list[SourceOut]
    created_at: datetime
