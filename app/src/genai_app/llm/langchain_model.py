"""Any chat model of LangChain as a ChatModel: `LangChainModel(ChatAnthropic(model="…"), provider="anthropic")`.

LangChain is imported at the first call: its models are an option, and the wire client in this package is the rule. What
a LangChain model was made with (temperature, longest reply) stays as it is; `json_schema` and `logprobs` are not asked
for. Whoever builds one chooses its timeouts and retries too: here only the time of the whole reply is bounded.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Delta, Done, Message, TextDelta, ToolCall
from genai_app.llm.failures import Kind, ModelCut, ModelFailed
from genai_app.llm.patience import before
from genai_app.llm.prices import FREE, PriceList
from genai_app.llm.reasoning import ReasoningFilter, thinks_before_it_speaks
from genai_app.logs import get_logger

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

log = get_logger(__name__)

TOTAL_SECONDS: Final = 60.0
TOO_MANY_REQUESTS: Final = 429


class LangChainModel(ChatModel):
    """`chat`, asked as every other model. `provider` is its name in `genai-prices`, where it has one."""

    def __init__(
        self, chat: "BaseChatModel", *, provider: str, model: str, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self.provider = provider
        self.model = model
        self._chat = chat
        self._total_seconds = total_seconds
        self._prices = PriceList(provider)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ChatModel. Raises ModelFailed before the first delta, ModelCut after it."""
        now = asyncio.get_running_loop().time()
        deadline = now + self._total_seconds if request.deadline is None else request.deadline
        said = ReasoningFilter(hold=thinks_before_it_speaks(self.model))
        chunks: list[AIMessageChunk] = []
        texts: list[str] = []
        try:
            async with aclosing(before(deadline, self._runnable(request).astream(_messages(request.messages)))) as all_:
                async for chunk in all_:
                    chunks.append(chunk)
                    if text := said.feed(str(chunk.text)):
                        texts.append(text)
                        yield TextDelta(text)
            if rest := said.finish():
                texts.append(rest)
                yield TextDelta(rest)
            completion = self._completion(request, chunks, "".join(texts))
        except Exception as error:  # noqa: BLE001 - the boundary to libraries whose errors have no common root
            failure = error if isinstance(error, ModelFailed) else _failure(error)
            if texts:
                text = "".join(texts)
                failure = ModelCut(failure, self._prices.partial(request, self.model, text, characters=len(text)))
            raise failure from None
        for call in completion.tool_calls:
            yield call
        yield Done(completion)

    def _runnable(self, request: ChatRequest) -> Any:
        tools = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
            }
            for tool in request.tools
        ]
        return self._chat.bind_tools(tools) if tools else self._chat

    def _completion(self, request: ChatRequest, chunks: "Sequence[AIMessageChunk]", text: str) -> Completion:
        whole = chunks[0] + list(chunks[1:]) if len(chunks) > 1 else next(iter(chunks), None)
        if whole is None or (not text and not whole.tool_calls):
            raise ModelFailed("validation_error", "The model's reply holds no text besides its reasoning.")
        offered = {tool.name for tool in request.tools}
        if whole.invalid_tool_calls or any(call["name"] not in offered for call in whole.tool_calls):
            raise ModelFailed("validation_error", "The model asked for a tool in a way that cannot be read.")
        usage: Any = whole.usage_metadata or {}
        tokens_in, tokens_out = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
        cost = self._prices.cost(self.model, tokens_in, tokens_out)
        return Completion(
            text=text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            model=self.model,
            provider=self.provider,
            tool_calls=tuple(
                ToolCall(call["id"] or f"call_{position}", call["name"], call["args"])
                for position, call in enumerate(whole.tool_calls)
            ),
            cost_usd=cost or FREE,
            cost_known=cost is not None,
            finish_reason=str(whole.response_metadata.get("finish_reason", "stop")),
        )


def _messages(messages: Sequence[Message]) -> "list[BaseMessage]":
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    def translated(message: Message) -> "BaseMessage":
        if message.role == "tool":
            return ToolMessage(message.content, tool_call_id=message.tool_call_id)
        if message.role == "assistant":
            calls: Any = [
                {"id": call.id, "name": call.name, "args": dict(call.arguments), "type": "tool_call"}
                for call in message.tool_calls
            ]
            return AIMessage(message.content, tool_calls=calls)
        return SystemMessage(message.content) if message.role == "system" else HumanMessage(message.content)

    return [translated(message) for message in messages]


def _failure(error: Exception) -> ModelFailed:
    """What a library raised, by what may be done next; its own words go into the log alone."""
    status = getattr(error, "status_code", None)
    kind: Kind = "timeout" if isinstance(error, TimeoutError) else "api_error"
    if status == TOO_MANY_REQUESTS:
        kind = "rate_limit"
    log.warning("langchain_model_failed", error=type(error).__name__, status=status)
    return ModelFailed(kind, "The model behind LangChain failed.", final=False)
