"""What goes into a turn and what comes out of it: plain values, no behaviour."""

from dataclasses import dataclass
from typing import Literal


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
class Question:
    """What the customer asks now, with the session's last messages, oldest first."""

    text: str
    history: tuple[HistoryMessage, ...] = ()


@dataclass(frozen=True)
class Routing:
    """Which agent was chosen, how (`embedding_margin`, `follow_up`), and how sure the choice is, in 0..1."""

    agent: str
    confidence: float
    method: str
    rerouted: bool


@dataclass(frozen=True)
class Answer:
    """The reply with its evidence.

    `confidence` is measured from the retrieved evidence, in 0..1. `provider` is `offline` when no model wrote the text
    (also after a model failed); `tokens_in` and `tokens_out` are then 0.
    """

    text: str
    agent: str
    confidence: float
    sources: tuple[Source, ...]
    routing: Routing
    provider: str
    model: str
    tokens_in: int
    tokens_out: int
