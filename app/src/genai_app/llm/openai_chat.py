"""Chat completions in OpenAI's format, as plain values: the request's JSON, and a reply put together from its pieces.

A streamed reply comes as events with a `delta`, a plain one as a single object with a `message`: both are pieces here.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from genai_app.llm.chat_model import ChatRequest, Message, ToolCall, ToolSpec
from genai_app.llm.failures import ModelFailed
from genai_app.llm.reasoning import ReasoningFilter, without_reasoning

MOST_TOOL_CALLS: Final = 16
CHARACTERS_PER_TOKEN: Final = 16
"""Of the longest text that is still read: a server that writes on for ever does not count tokens."""
_REASONING_FIELDS: Final = ("reasoning", "reasoning_content")


def payload(request: ChatRequest, model: str) -> dict[str, Any]:
    """The body of a POST to /chat/completions."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.json_schema is not None:
        schema = {"name": "reply", "strict": True, "schema": request.json_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.logprobs:
        body["logprobs"] = True
    if request.streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


@dataclass
class _Fragments:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Reply:
    """What has come of a reply so far. `filter` holds the reasoning back; `shown` counts the characters let through."""

    filter: ReasoningFilter
    shown: int = 0
    length: int = 0
    """Characters so far, reasoning included; counted, because it is asked for at every piece."""
    model: str = ""
    finish_reason: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    _begun: bool = False
    _raw: list[str] = field(default_factory=list)
    _calls: dict[int, _Fragments] = field(default_factory=dict)
    _logprobs: list[float] = field(default_factory=list)

    def add(self, piece: Mapping[str, Any]) -> str:
        """The text that may be shown now. Raises ModelFailed when the piece is none of a chat completion."""
        if isinstance(piece.get("usage"), dict):
            self.usage = piece["usage"]
        if isinstance(piece.get("model"), str):
            self.model = piece["model"]
        choices = piece.get("choices")
        if not choices:
            return ""  # the last event of a stream: usage alone
        self._begun = True
        try:
            choice = choices[0]
            whole = choice.get("message")
            delta = choice.get("delta") or whole or {}
            self.finish_reason = str(choice.get("finish_reason") or self.finish_reason or (whole and "stop") or "")
            text = _text(delta.get("content"))
            if any(delta.get(name) for name in _REASONING_FIELDS):
                self.filter.separated()
            self._add_calls(delta.get("tool_calls") or ())
            self._add_logprobs(choice.get("logprobs"))
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            raise ModelFailed("validation_error", "The model server's reply is not a chat completion.") from None
        return self._said(self.filter.feed(text), text)

    def finish(self) -> str:
        """The text that was held back until the end. Raises ModelFailed when the end has not come."""
        if not self._begun:
            raise ModelFailed("validation_error", "The model server's reply is not a chat completion.")
        if not self.finish_reason:
            raise ModelFailed("api_error", "The model's stream broke off.", final=False)
        return self._said(self.filter.finish(), "")

    @property
    def text(self) -> str:
        """The whole text without its reasoning."""
        return without_reasoning("".join(self._raw))

    @property
    def logprob_confidence(self) -> float | None:
        """The geometric mean of the tokens' probabilities, 0..1; None when the server gave none."""
        return math.exp(min(0.0, math.fsum(self._logprobs) / len(self._logprobs))) if self._logprobs else None

    def tool_calls(self, tools: Sequence[ToolSpec]) -> tuple[ToolCall, ...]:
        """The complete calls, in order. Raises ModelFailed for arguments that are no JSON object or an unknown tool."""
        offered = {tool.name for tool in tools}
        calls = []
        for position, fragments in sorted(self._calls.items()):
            try:
                arguments = json.loads(fragments.arguments or "{}")
            except (ValueError, RecursionError):
                arguments = None
            if not isinstance(arguments, dict) or fragments.name not in offered:
                raise ModelFailed("validation_error", "The model asked for a tool in a way that cannot be read.")
            calls.append(ToolCall(fragments.id or f"call_{position}", fragments.name, arguments))
        return tuple(calls)

    def tokens(self, name: str) -> int:
        """`prompt_tokens` or `completion_tokens` by the server's count; 0 when it gave none."""
        value = self.usage.get(name)
        return value if isinstance(value, int) and value >= 0 else 0

    @property
    def cost(self) -> Decimal | None:
        """USD by the server's own word; None when it says nothing."""
        value = self.usage.get("cost")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            cost = Decimal(str(value))
        except InvalidOperation:
            return None
        return cost if cost.is_finite() and cost >= 0 else None

    def _said(self, shown: str, raw: str) -> str:
        self._raw.append(raw)
        self.length += len(raw)
        self.shown += len(shown)
        return shown

    def _add_calls(self, pieces: Sequence[Mapping[str, Any]]) -> None:
        for position, piece in enumerate(pieces):
            index = int(piece.get("index", position))
            if len(self._calls) >= MOST_TOOL_CALLS and index not in self._calls:
                raise ValueError("too many tool calls")
            call = self._calls.setdefault(index, _Fragments())
            function = piece.get("function") or {}
            call.id = call.id or str(piece.get("id") or "")
            call.name = call.name or str(function.get("name") or "")
            call.arguments += _text(function.get("arguments"))

    def _add_logprobs(self, logprobs: Any) -> None:
        for token in (logprobs or {}).get("content") or ():
            self._logprobs.append(float(token["logprob"]))


def _text(content: Any) -> str:
    """Text, which may come as a list of parts. Raises TypeError or KeyError for anything else."""
    if content is None:
        return ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError("content is no text")
    return content


def _message(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        body["tool_call_id"] = message.tool_call_id
    return body


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
