"""What the agents ask of a language model, and what they get back; wire formats and servers are elsewhere.

`stream` is the one operation; `complete` folds it. A reply is any number of `TextDelta`, then the tool calls, then
exactly one `Done`:

    TextDelta("It takes ")  TextDelta("5W-30.")  Done(Completion(text="It takes 5W-30.", …))
    ToolCall(id, "free_slots", {"date": "2026-12-01"})  Done(Completion(tool_calls=(…,), …))

Who stops reading before `Done` closes the generator (`contextlib.aclosing`): that closes the connection, and the server
stops writing. A request carries the evidence beside the messages, so that models on the wire and the offline one work
from one value.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, Protocol

from genai_app.errors import ModelDown

Role = Literal["system", "user", "assistant", "tool"]
Allowed = Literal["any", "free", "offline"]
"""Which models a call may use, by the budget: all, those that cost nothing, or none at all."""


@dataclass(frozen=True)
class ToolSpec:
    """A tool that the model may ask for; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model asks for: always one of the request's; its arguments are not yet checked against it."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One message of a conversation, as models count them.

    `tool_calls` are what an assistant asked for; a message of role `tool` answers the call with the id `tool_call_id`.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True)
class Evidence:
    """A retrieved passage: `heading` is its path (`Title > Section`), `text` the passage without it."""

    heading: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """One call of a model.

    `messages` is the whole prompt. `question` is in the customer's own words; `topic` are the concepts of an earlier
    question that it refers to. `agent` labels the metrics. `max_tokens` bounds the reply.
    `json_schema` asks for text that is JSON of that schema; `logprobs` for a measured confidence, if a server has it.
    `streamed` False: nobody reads along, and one piece costs a tenth of the CPU of a hundred.
    `deadline` is when the reply must be complete and `first_by` when it must have begun, both in the time of the event
    loop; None: as the settings say.
    """

    messages: tuple[Message, ...]
    question: str
    agent: str
    temperature: float
    topic: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    max_tokens: int = 1024
    tools: tuple[ToolSpec, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    logprobs: bool = False
    streamed: bool = True
    models: Allowed = "any"
    deadline: float | None = None
    first_by: float | None = None


@dataclass(frozen=True)
class Completion:
    """A whole reply.

    `answered` is False when the model itself says that the evidence does not hold the answer. `finish_reason` is the
    server's (`stop`, `length`, `tool_calls`, …), or `cut` when the connection broke. `cost_known` is False when a paid
    model's price is not known: `cost_usd` is then 0. `logprob_confidence` is the mean probability of a token, 0..1.
    """

    text: str
    tokens_in: int
    tokens_out: int
    model: str
    answered: bool = True
    provider: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    cost_usd: Decimal = Decimal(0)
    cost_known: bool = True
    finish_reason: str = "stop"
    logprob_confidence: float | None = None


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the text; never reasoning."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end. `completion.text` is the text of all deltas."""

    completion: Completion


Delta = TextDelta | ToolCall | Done


class ChatModel(Protocol):
    """Who writes answers. `provider` and `model` name who is asked first; a completion names who answered."""

    provider: str
    model: str

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """The reply to `request`, as it comes.

        Raises errors.ModelDown: before the first delta when there is no reply, failures.ModelCut after it.
        """
        ...

    @property
    def reachable(self) -> bool:
        """False while there is nobody whom it would ask: all have failed too often, and are left alone."""
        return True

    async def complete(self, request: ChatRequest) -> Completion:
        """The whole reply. Raises errors.ModelDown when there is none within the time of a turn."""
        return await fold(self.stream(replace(request, streamed=False)))


async def fold(deltas: AsyncGenerator[Delta, None]) -> Completion:
    """The completion at the end of a stream. Raises what the stream raises."""
    async with aclosing(deltas):
        async for delta in deltas:
            if isinstance(delta, Done):
                return delta.completion
    raise ModelDown("The model's reply has no end.")


async def begin(deltas: AsyncGenerator[Delta, None]) -> tuple[AsyncGenerator[Delta, None], Delta]:
    """The stream and its first delta: until then nothing was shown, and another try or another model is possible."""
    try:
        return deltas, await anext(deltas)
    except StopAsyncIteration:
        raise ModelDown("The model's reply is empty.") from None
    except BaseException:
        await deltas.aclose()
        raise
