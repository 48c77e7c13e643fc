"""What the agents ask of a language model, and what they get back; wire formats and servers are elsewhere.

Two implementations ship: `openai_wire.OpenAIModel` (any OpenAI-compatible server) and `offline.OfflineModel` (no model
at all: quotes the evidence). A request carries the evidence beside the messages, so that both work from one value.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One message of a conversation, as models count them."""

    role: Role
    content: str


@dataclass(frozen=True)
class Evidence:
    """A retrieved passage: `heading` is its path (`Title > Section`), `text` the passage without it."""

    heading: str
    text: str


@dataclass(frozen=True)
class ChatRequest:
    """One call of a model.

    `messages` is the whole prompt. `question` is in the customer's own words; `topic` are the concepts of an earlier
    question that it refers to. `agent` labels the metrics. `max_tokens` bounds the reply.
    """

    messages: tuple[Message, ...]
    question: str
    topic: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    agent: str
    temperature: float
    max_tokens: int = 1024


@dataclass(frozen=True)
class Completion:
    """A whole reply. `answered` is False when the model itself says that the evidence does not hold the answer."""

    text: str
    tokens_in: int
    tokens_out: int
    model: str
    answered: bool = True


class ChatModel(Protocol):
    """Who writes answers. `provider` and `model` name it in each answer's metadata."""

    @property
    def provider(self) -> str:
        """`offline`, `openrouter` or `openai-compatible`."""

    @property
    def model(self) -> str:
        """The model that is asked first."""

    async def complete(self, request: ChatRequest) -> Completion:
        """The reply to `request`. Raises errors.ModelDown when there is none within the time of a turn."""
