"""A LangChain chat model answers as every other ChatModel."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.language_models import (
    BaseChatModel,
    FakeListChatModel,
    FakeMessagesListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from genai_app.llm.chat_model import ChatRequest, Delta, Done, Message, TextDelta, ToolCall, ToolSpec
from genai_app.llm.failures import ModelCut, ModelFailed
from genai_app.llm.langchain_model import LangChainModel

SLOTS = ToolSpec("free_slots", "Free slots of a day.", {"type": "object", "properties": {"date": {"type": "string"}}})


def request(*messages: Message, tools: tuple[ToolSpec, ...] = ()) -> ChatRequest:
    return ChatRequest(
        messages=messages or (Message("user", "Which oil?"),), question="?", agent="specs", temperature=0, tools=tools
    )


def adapted(chat: BaseChatModel) -> LangChainModel:
    return LangChainModel(chat, provider="anthropic", model="claude-3-opus-20240229", total_seconds=5)


async def everything(model: LangChainModel, asked: ChatRequest) -> list[Delta]:
    async with aclosing(model.stream(asked)) as deltas:
        return [delta async for delta in deltas]


async def test_text_is_streamed_and_reasoning_is_not() -> None:
    chat = GenericFakeChatModel(messages=iter([AIMessage("<think>hm</think> It takes 5W-30.")]))
    deltas = await everything(adapted(chat), request())
    texts = [delta.text for delta in deltas if isinstance(delta, TextDelta)]
    assert len(texts) > 1
    assert "".join(texts) == "It takes 5W-30."
    end = deltas[-1]
    assert isinstance(end, Done)
    assert (end.completion.text, end.completion.provider) == ("It takes 5W-30.", "anthropic")


class WithTools(FakeMessagesListChatModel):
    """Remembers what it was given."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=tools, **kwargs)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        SEEN.append((messages, kwargs["tools"]))
        return super()._generate(messages, *args, **kwargs)


SEEN: list[tuple[list[BaseMessage], Any]] = []


async def test_tools_usage_and_cost_come_through() -> None:
    call = {"id": "c1", "name": "free_slots", "args": {"date": "2026-12-01"}, "type": "tool_call"}
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    chat = WithTools(responses=[AIMessage("", tool_calls=[call], usage_metadata=usage)])
    before = ToolCall("c0", "free_slots", {})
    messages = (
        Message("system", "Answer."),
        Message("user", "?"),
        Message("assistant", "", tool_calls=(before,)),
        Message("tool", "[]", tool_call_id="c0"),
    )
    completion = await adapted(chat).complete(request(*messages, tools=(SLOTS,)))
    assert completion.tool_calls == (ToolCall("c1", "free_slots", {"date": "2026-12-01"}),)
    assert (completion.tokens_in, completion.tokens_out, str(completion.cost_usd)) == (1000, 100, "0.0225")
    [(given, tools)] = SEEN
    assert [message.type for message in given] == ["system", "human", "ai", "tool"]
    assert tools[0]["function"]["name"] == "free_slots"


async def test_an_unknown_tool_and_an_empty_reply_are_model_down() -> None:
    call = {"id": "c1", "name": "other", "args": {}, "type": "tool_call"}
    for reply in (AIMessage("", tool_calls=[call]), AIMessage("<think>hm</think>")):
        with pytest.raises(ModelFailed) as failed:
            await adapted(FakeMessagesListChatModel(responses=[reply])).complete(request())
        assert failed.value.kind == "validation_error"


async def test_an_error_before_the_first_word_is_model_down_without_the_librarys_words() -> None:
    with pytest.raises(ModelFailed) as failed:
        await adapted(FakeListChatModel(responses=["It takes"], error_on_chunk_number=0)).complete(request())
    assert (failed.value.kind, str(failed.value)) == ("api_error", "The model behind LangChain failed.")


async def test_an_error_after_the_first_word_is_a_cut_reply() -> None:
    with pytest.raises(ModelCut) as cut:
        await adapted(FakeListChatModel(responses=["It takes"], error_on_chunk_number=3)).complete(request())
    assert cut.value.partial.text == "It"
    assert cut.value.partial.cost_usd > 0


class Late(FakeListChatModel):
    """Raises what a client library raises when its server is late."""

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for text in self.responses:
            if text == "late":
                raise TimeoutError
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))


async def test_a_timeout_is_told_as_one() -> None:
    with pytest.raises(ModelFailed) as failed:
        await adapted(Late(responses=["late"])).complete(request())
    assert failed.value.kind == "timeout"
