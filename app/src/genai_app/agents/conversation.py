"""What goes into a turn and what comes out of it: plain values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID


@dataclass(frozen=True)
class Source:
    """A passage that an answer rests on.

    `score` is the cosine similarity of the passage to the question as it was searched, in 0..1.
    """

    source: str
    heading: str
    document_type: str
    score: float


@dataclass(frozen=True)
class HistoryMessage:
    """One earlier message of the session; `agent` and `sources` only on the assistant's."""

    role: Literal["user", "assistant"]
    content: str
    agent: str | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class CustomerScope:
    """On whose behalf a turn is: from the token and checked by the chat, never from a model's or a message's words."""

    user_id: UUID
    customer_id: UUID | None = None
    vehicle_id: UUID | None = None


@dataclass(frozen=True)
class Question:
    """What the customer asks now, with the session's last messages, oldest first.

    `session_state` is what the last answer of the session left as its `state`. An agent sees its own part only:
    whatever it gave as `state` in its last answer, or nothing when another agent has answered since. `models` is what
    the budget allows: all, those that cost nothing, or none. `watched`: somebody reads the tokens as they come.
    """

    text: str
    history: tuple[HistoryMessage, ...] = ()
    customer: CustomerScope | None = None
    session_state: Mapping[str, Any] = field(default_factory=dict)
    models: Literal["any", "free", "offline"] = "any"
    watched: bool = True


@dataclass(frozen=True)
class Routing:
    """Which agent was chosen, how (see `routing`), and how sure the choice is, in 0..1."""

    agent: str
    confidence: float
    method: str
    rerouted: bool


UNROUTED: Final = Routing("", 1.0, "direct", rerouted=False)
"""Of an answer that an agent gives; who asked the agent puts the true one in its place."""


@dataclass(frozen=True)
class ToolUse:
    """A tool that was called for an answer; `result` is JSON, `ok` is False when the tool refused."""

    name: str
    arguments: Mapping[str, Any]
    result: Any
    ok: bool = True


Severity = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True)
class DiagnosticResult:
    """What a symptom tree came to, in the customer's language."""

    symptoms: tuple[str, ...]
    possible_causes: tuple[str, ...]
    recommended_actions: tuple[str, ...]
    severity: Severity
    requires_professional: bool
    safety_warning: str | None = None


@dataclass(frozen=True)
class Answer:
    """The reply with its evidence.

    `confidence` is measured from the evidence, in 0..1. `provider` is `offline` when no model wrote the text (also
    after a model failed); `tokens_in` and `tokens_out` are then 0. `answered` is False when the agent found nothing:
    another agent may be asked. `state` is JSON: what the next turn of this session must know (empty: nothing).
    `handoff_reason` is set when the agent itself wants a person to take over, whatever the confidence.
    """

    text: str
    agent: str
    confidence: float
    sources: tuple[Source, ...] = ()
    routing: Routing = UNROUTED
    provider: str = "offline"
    model: str = "extractive"
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    tools: tuple[ToolUse, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    diagnosis: DiagnosticResult | None = None
    requires_professional: bool = False
    safety_warning: str | None = None
    language: str = "en"
    answered: bool = True
    handoff_reason: str | None = None


StepName = Literal["agent_routing", "rag_retrieval", "tool_call", "generating"]


@dataclass(frozen=True)
class Step:
    """A step of the work begins now."""

    name: StepName


@dataclass(frozen=True)
class Token:
    """A piece of the answer's text; the pieces joined are the text of the Answer that follows."""

    text: str


AgentEvent = Step | Token | Answer
"""What an agent gives while it works: any number of steps and tokens, then exactly one Answer, last."""
