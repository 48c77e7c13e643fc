"""A streamed reply: pieces as they come, tools in one piece, and an end in time however the server behaves."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.app.openai_stub import OpenAIStub, Reply, as_json, chat, delta, events, streamed

from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Delta, Done, Message, TextDelta, ToolCall
from genai_app.llm.chat_model import ToolSpec as Tool
from genai_app.llm.failures import ModelCut, ModelFailed
from genai_app.llm.measured import Measured
from genai_app.llm.openai_chat import Reply as Arrived
from genai_app.llm.openai_chat import payload
from genai_app.llm.openai_model import OpenAIModel
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.llm.patience import ATTEMPTS
from genai_app.llm.reasoning import ReasoningFilter
from genai_app.metrics import Metrics

pytestmark = pytest.mark.service

SLOTS = Tool("free_slots", "Free slots of a day.", {"type": "object", "properties": {"date": {"type": "string"}}})
REQUEST = ChatRequest(
    messages=(Message("user", "Which oil?"),), question="Which oil?", agent="specs", temperature=0.1, tools=(SLOTS,)
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


@pytest.fixture
def model(model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics) -> ChatModel:
    """A paid model of a well-known server."""
    server = OpenAIServer(http, model_server.base_url, "key", 5)
    return Measured(OpenAIModel(server, provider="openrouter", model="openai/gpt-4o-mini"), metrics)


async def everything(deltas: AsyncGenerator[Delta, None]) -> list[Delta]:
    async with aclosing(deltas):
        return [delta async for delta in deltas]


def texts(deltas: list[Delta]) -> list[str]:
    return [delta.text for delta in deltas if isinstance(delta, TextDelta)]


def completion_of(deltas: list[Delta]) -> Completion:
    end = deltas[-1]
    assert isinstance(end, Done)
    return end.completion


async def test_text_comes_in_the_pieces_that_the_server_sends(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [streamed("It takes", " 5W-30", ".")]
    deltas = await everything(model.stream(REQUEST))
    assert texts(deltas) == ["It takes", " 5W-30", "."]
    assert completion_of(deltas).text == "It takes 5W-30."
    assert model_server.requests[0].json["stream"] is True
    assert model_server.requests[0].json["stream_options"] == {"include_usage": True}


async def test_one_connection_serves_many_streams(model_server: OpenAIStub, model: ChatModel) -> None:
    for _ in range(3):
        await everything(model.stream(REQUEST))
    assert len(model_server.requests) == 3
    assert len(model_server.connections) == 1


async def test_a_piece_is_given_on_before_the_next_one_exists(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [streamed("It takes", finish=None, end=False, hangs=True)]
    async with aclosing(model.stream(REQUEST)) as deltas:
        assert await anext(deltas) == TextDelta("It takes")


async def test_who_stops_reading_closes_the_connection(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [streamed("for ", "ever ", finish=None, end=False, endless=True)]
    async with aclosing(model.stream(replace(REQUEST, max_tokens=1_000_000))) as deltas:
        await anext(deltas)
    async with asyncio.timeout(5):
        await model_server.left.wait()


async def test_a_cancelled_reader_closes_the_connection(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [streamed("It takes", finish=None, end=False, hangs=True)]
    reading = asyncio.create_task(everything(model.stream(REQUEST)))
    async with asyncio.timeout(5):
        await model_server.arrived.wait()
        reading.cancel()
        await model_server.left.wait()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_tool_call_is_put_together_from_its_fragments(model_server: OpenAIStub, model: ChatModel) -> None:
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "free_slots", "arguments": ""}}
    fragments = ['{"da', 'te": "2026-', '12-01"}']
    model_server.script = [
        events(
            delta(tool_calls=[first]),
            *(delta(tool_calls=[{"index": 0, "function": {"arguments": text}}]) for text in fragments),
            delta(tool_calls=[{"index": 1, "id": "c2", "function": {"name": "free_slots", "arguments": "{}"}}]),
            finish="tool_calls",
        )
    ]
    deltas = await everything(model.stream(REQUEST))
    calls = [ToolCall("c1", "free_slots", {"date": "2026-12-01"}), ToolCall("c2", "free_slots", {})]
    assert deltas[:-1] == calls
    assert completion_of(deltas).tool_calls == tuple(calls)
    assert completion_of(deltas).finish_reason == "tool_calls"


@pytest.mark.parametrize("call", [{"name": "free_slots", "arguments": '{"da'}, {"name": "other", "arguments": "{}"}])
async def test_a_tool_call_that_cannot_be_read_is_model_down(
    call: dict[str, str], model_server: OpenAIStub, model: ChatModel
) -> None:
    model_server.script = [events(delta(tool_calls=[{"index": 0, "id": "c", "function": call}]), finish="tool_calls")]
    with pytest.raises(ModelFailed) as failed:
        await everything(model.stream(REQUEST))
    assert failed.value.kind == "validation_error"


async def test_tools_and_their_results_are_sent_as_the_wire_wants_them(
    model_server: OpenAIStub, model: ChatModel
) -> None:
    call = ToolCall("c1", "free_slots", {"date": "amanhã"})
    messages = (Message("assistant", "", tool_calls=(call,)), Message("tool", "[]", tool_call_id="c1"))
    await everything(model.stream(replace(REQUEST, messages=messages)))
    sent = model_server.requests[0].json
    function = {"name": "free_slots", "arguments": '{"date": "amanhã"}'}
    assert sent["messages"] == [
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "content": "[]", "tool_call_id": "c1"},
    ]
    assert sent["tools"][0]["function"]["name"] == "free_slots"


def test_a_schema_and_probabilities_are_asked_for_in_the_wires_words() -> None:
    body = payload(replace(REQUEST, json_schema={"type": "object"}, logprobs=True, streamed=False), "m")
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert body["logprobs"] is True
    assert "stream" not in body


async def test_the_probability_of_a_reply_is_measured(model_server: OpenAIStub, model: ChatModel) -> None:
    piece = delta(content="specs")
    piece["choices"][0]["logprobs"] = {"content": [{"token": "sp", "logprob": -0.1}, {"token": "ecs", "logprob": -0.3}]}
    model_server.script = [events(piece)]
    confidence = completion_of(await everything(model.stream(REQUEST))).logprob_confidence
    assert confidence == pytest.approx(0.8187, abs=1e-4)


@pytest.mark.parametrize(
    "pieces",
    [
        [{"reasoning": "0secret0"}, {"content": "It takes 5W-30."}],
        [{"reasoning_content": "0secret0"}, {"content": "It takes 5W-30."}],
        [{"content": "<th"}, {"content": "ink>0sec"}, {"content": "ret0</thi"}, {"content": "nk>\n\nIt takes 5W-30."}],
    ],
    ids=["reasoning", "reasoning_content", "tags across borders"],
)
async def test_reasoning_is_not_streamed(
    pieces: list[dict[str, str]], model_server: OpenAIStub, model: ChatModel
) -> None:
    model_server.script = [events(*(delta(**piece) for piece in pieces))]
    deltas = await everything(model.stream(REQUEST))
    assert "".join(texts(deltas)) == completion_of(deltas).text == "It takes 5W-30."


@pytest.mark.parametrize(
    ("usage", "dollars", "known"),
    [
        ({"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.5}, "0.5", True),
        ({"prompt_tokens": 1000, "completion_tokens": 100}, "0.00021", True),
        ({"prompt_tokens": 1000, "completion_tokens": 100, "cost": "NaN"}, "0.00021", True),
        ({"prompt_tokens": 1000, "completion_tokens": 100, "cost": -1}, "0.00021", True),
        ({}, "0", True),
    ],
)
async def test_a_reply_costs_what_the_server_says_or_else_what_the_table_says(
    usage: dict[str, Any], dollars: str, known: bool, model_server: OpenAIStub, model: ChatModel, metrics: Metrics
) -> None:
    model_server.script = [streamed("yes", usage=usage)]
    completion = completion_of(await everything(model.stream(REQUEST)))
    assert (completion.cost_usd, completion.cost_known) == (Decimal(dollars), known)
    counted = f'llm_cost_dollars_total{{agent="specs",model="openai/gpt-4o-mini"}} {float(dollars)}'
    assert counted in metrics.render().decode()


async def test_a_paid_model_without_a_known_price_is_flagged(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    server = OpenAIServer(http, model_server.base_url, "", 5)
    unknown = Measured(OpenAIModel(server, provider="openai-compatible", model="some/model"), metrics)
    completion = await unknown.complete(REQUEST)
    assert (completion.cost_usd, completion.cost_known, completion.tokens_in) == (Decimal(0), False, 11)
    assert 'llm_cost_unknown_total{model="some/model"} 1.0' in metrics.render().decode()


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=503),
        events(finish=None, end=False, resets=True),
        events(delta(role="assistant"), finish=None, end=False, resets=True),
        events(delta(reasoning="hm"), finish=None, end=False),
        events({"error": {"code": 502, "message": "the provider failed"}}, finish=None, end=False),
    ],
    ids=["503", "reset at once", "reset before text", "end before text", "error before text"],
)
async def test_a_stream_that_breaks_before_its_first_word_is_tried_again(
    failure: Reply, model_server: OpenAIStub, model: ChatModel
) -> None:
    model_server.script = [failure, streamed("It takes 5W-30.")]
    assert completion_of(await everything(model.stream(REQUEST))).text == "It takes 5W-30."
    assert len(model_server.requests) == 2


@pytest.mark.parametrize(
    "how",
    [
        {"resets": True},
        {},
        {"hangs": True},
    ],
    ids=["connection lost", "end", "silence"],
)
async def test_a_stream_that_breaks_after_its_first_word_is_cut_and_not_tried_again(
    how: dict[str, bool], model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [streamed("It takes", " 5W", finish=None, end=False, **how)]
    server = OpenAIServer(http, model_server.base_url, "", 1)
    model = Measured(OpenAIModel(server, provider="openrouter", model="openai/gpt-4o-mini"), metrics)
    async with aclosing(model.stream(REQUEST)) as deltas:
        assert texts([await anext(deltas), await anext(deltas)]) == ["It takes", " 5W"]
        with pytest.raises(ModelCut) as cut:
            await anext(deltas)
    assert (cut.value.partial.text, cut.value.partial.finish_reason) == ("It takes 5W", "cut")
    assert cut.value.partial.cost_usd > 0
    assert len(model_server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "calls"),
    [
        (Reply(pieces=(b"data: {not json}\n\n",), headers=(("Content-Type", "text/event-stream"),)), 1),
        (Reply(pieces=(b"data: [1]\n\n",), headers=(("Content-Type", "text/event-stream"),)), 1),
        (Reply(pieces=(b"data: {\n\n",), headers=(("Content-Type", "text/event-stream"),)), 1),
        (Reply(pieces=(b"\xff\xfe\n\n",), headers=(("Content-Type", "text/event-stream"),)), 1),
        (Reply(pieces=(b"data: " + b"x" * 2_000_000,), headers=(("Content-Type", "text/event-stream"),)), 1),
        (Reply(pieces=(b"<html>",), headers=(("Content-Type", "text/html"),)), 1),
        (events({"choices": "none"}), 1),
        (events({"choices": [{"delta": {"content": 5}}]}), 1),
        (events(), 1),
        (Reply(status=429, headers=(("Retry-After", "0"),)), ATTEMPTS),
    ],
    ids=lambda value: repr(value.pieces[:1])[:40] if isinstance(value, Reply) else str(value),
)
async def test_garbage_is_model_down(reply: Reply, calls: int, model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [reply]
    with pytest.raises(ModelFailed):
        await everything(model.stream(REQUEST))
    assert len(model_server.requests) == calls


async def test_a_text_without_end_is_ended(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [streamed("for ever ", finish=None, end=False, endless=True)]
    completion = completion_of(await everything(model.stream(replace(REQUEST, max_tokens=50))))
    assert completion.finish_reason == "length"
    assert 700 < len(completion.text) < 1000
    async with asyncio.timeout(5):
        await model_server.left.wait()


async def test_ten_megabytes_of_reasoning_are_model_down(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [events(delta(reasoning="x" * 500_000), finish=None, end=False, endless=True)]
    with pytest.raises(ModelFailed, match="longer than"):
        await everything(model.stream(REQUEST))


async def test_comments_without_end_take_the_time_of_the_call_and_not_more(
    model_server: OpenAIStub, http: httpx2.AsyncClient
) -> None:
    model_server.script = [
        Reply(pieces=(b": PROCESSING\n\n",), headers=(("Content-Type", "text/event-stream"),), endless=True)
    ]
    model = OpenAIModel(OpenAIServer(http, model_server.base_url, "", 0.3), provider="openrouter", model="m")
    with pytest.raises(ModelFailed) as failed:
        await everything(model.stream(REQUEST))
    assert failed.value.kind == "timeout"


async def test_a_server_that_cannot_stream_is_heard_all_the_same(model_server: OpenAIStub, model: ChatModel) -> None:
    model_server.script = [chat("<think>hm</think>It takes 5W-30.")]
    deltas = await everything(model.stream(REQUEST))
    assert texts(deltas) == ["It takes 5W-30."]
    assert completion_of(deltas).tokens_out == 7


async def test_a_whole_reply_may_be_a_tool_call(model_server: OpenAIStub, model: ChatModel) -> None:
    calls = [{"id": "c1", "type": "function", "function": {"name": "free_slots", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    model_server.script = [as_json({"choices": [{"message": message, "finish_reason": "tool_calls"}]})]
    assert (await model.complete(REQUEST)).tool_calls == (ToolCall("c1", "free_slots", {}),)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
wrong_choice = st.fixed_dictionaries(
    {}, optional={"delta": json_values, "message": json_values, "finish_reason": json_values, "logprobs": json_values}
)
wrong_delta = st.fixed_dictionaries(
    {}, optional={"content": json_values, "tool_calls": json_values, "reasoning": json_values}
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["choices", "usage", "model"]), json_values)
        | st.fixed_dictionaries({"choices": st.lists(wrong_choice, max_size=2)})
        | st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"delta": wrong_delta}), max_size=1)}),
        max_size=3,
    )
)
def test_any_json_is_a_reply_or_model_down(pieces: list[dict[str, Any]]) -> None:
    reply = Arrived(ReasoningFilter())
    try:
        said = "".join([*map(reply.add, pieces), reply.finish()])
    except ModelFailed as failed:
        said = str(failed)
    assert isinstance(json.dumps(said), str)
    assert reply.tokens("prompt_tokens") >= 0
