"""Bodies of the chat routes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from genai_app.chat.events import Complete
from genai_app.chat.turn import Ask
from genai_app.fields import Message, Metadata, SessionName


class ChatRequest(BaseModel):
    """One message. Without `session_id` a new conversation begins, whose id is in the reply."""

    message: Message = Field(examples=["Which engine oil does the GenAuto X1 take?"])
    session_id: SessionName | None = None
    customer_id: UUID | None = None
    vehicle_id: UUID | None = None
    metadata: Metadata = Field(default_factory=dict)

    def ask(self) -> Ask:
        """The same, for the service."""
        return Ask(self.message, self.session_id, self.customer_id, self.vehicle_id, self.metadata)


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
            cached=event.cached,
            metadata={
                "routing": {
                    "agent": answer.routing.agent,
                    "confidence": answer.routing.confidence,
                    "method": answer.routing.method,
                    "rerouted": answer.routing.rerouted,
                },
                "provider": answer.provider,
                "model": answer.model,
                "usage": {"input_tokens": answer.tokens_in, "output_tokens": answer.tokens_out},
            },
        )


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
