"""What an agent shows while it works: true steps, tokens that join to the answer, an end that the reader chooses."""

import asyncio
from contextlib import aclosing

import pytest
from tests.app.openai_stub import OpenAIStub, streamed

from genai_app.agents.answering import Agents, Answer, Question, Step, Token
from genai_app.agents.conversation import AgentEvent
from genai_app.agents.profiles import NOT_IN_MANUALS
from genai_app.agents.writing import CUT_OFF
from genai_app.llm.offline import NOT_FOUND
from genai_app.metrics import Metrics

pytestmark = pytest.mark.service

OIL = "Which engine oil does it take?"


async def events(agents: Agents, text: str = OIL) -> list[AgentEvent]:
    async with aclosing(agents.events(Question(text))) as working:
        return [event async for event in working]


def text_of(shown: list[AgentEvent]) -> str:
    return "".join(event.text for event in shown if isinstance(event, Token))


def steps_of(shown: list[AgentEvent]) -> list[str]:
    return [event.name for event in shown if isinstance(event, Step)]


def answer_of(shown: list[AgentEvent]) -> Answer:
    *before, last = shown
    assert isinstance(last, Answer)
    assert not any(isinstance(event, Answer) for event in before)
    return last


@pytest.mark.parametrize("text", [OIL, "My brakes make a noise", "O freio está raspando", "I smell petrol"])
async def test_the_tokens_are_the_answer(text: str, offline: Agents) -> None:
    shown = await events(offline, text)
    assert text_of(shown) == answer_of(shown).text
    assert steps_of(shown) == ["agent_routing", "rag_retrieval", "generating"]


async def test_what_is_not_known_has_no_tokens(offline: Agents) -> None:
    shown = await events(offline, "What is the capital of Argentina?")
    assert text_of(shown) == ""
    assert answer_of(shown).text == NOT_FOUND["en"]
    assert not answer_of(shown).answered


async def test_a_models_words_are_shown_as_they_come(online: Agents, model_server: OpenAIStub) -> None:
    model_server.script = [streamed("The engine of the ", "GenAuto X1 takes", " oil of grade", " 5W-30.")]
    shown = await events(online)
    tokens = [event.text for event in shown if isinstance(event, Token)]
    assert tokens == ["The engine of the GenAuto X1 takes", " oil of grade", " 5W-30."]
    assert answer_of(shown).text == "".join(tokens)
    assert answer_of(shown).answered


async def test_the_marker_is_never_shown(online: Agents, model_server: OpenAIStub) -> None:
    model_server.script = [streamed(*NOT_IN_MANUALS)]
    shown = await events(online)
    assert text_of(shown) == ""
    assert answer_of(shown).text == NOT_FOUND["en"]


async def test_a_stream_that_breaks_ends_with_a_sentence_and_asks_for_a_person(
    online: Agents, model_server: OpenAIStub, metrics: Metrics
) -> None:
    model_server.script = [streamed("The engine of the GenAuto X1", " takes oil", finish=None, end=False)]
    shown = await events(online)
    answer = answer_of(shown)
    assert text_of(shown) == answer.text
    assert answer.text == "The engine of the GenAuto X1 takes oil" + CUT_OFF["en"]
    assert answer.handoff_reason == "repeated_failure"
    assert len(model_server.requests) == 1
    assert 'dependency_down_total{dependency="model",policy="cut-short"} 1.0' in metrics.render().decode()


async def test_who_stops_reading_stops_the_model(online: Agents, model_server: OpenAIStub) -> None:
    model_server.script = [streamed("The engine of the GenAuto X1 ", "takes ", finish=None, end=False, endless=True)]
    async with aclosing(online.events(Question(OIL))) as working:
        async for event in working:
            if isinstance(event, Token):
                break
    async with asyncio.timeout(10):
        await model_server.left.wait()


async def test_a_slow_reader_slows_the_model_and_loses_nothing(online: Agents, model_server: OpenAIStub) -> None:
    words = tuple(f"word{number} " for number in range(500))
    model_server.script = [streamed(*words)]
    shown: list[AgentEvent] = []
    async with aclosing(online.events(Question(OIL))) as working:
        async for event in working:
            shown.append(event)
            await asyncio.sleep(0)
    assert text_of(shown) == answer_of(shown).text
    assert text_of(shown).split() == [word.strip() for word in words]


async def test_the_budget_may_leave_no_model(online: Agents, model_server: OpenAIStub) -> None:
    answer = await online.answer(Question(OIL, models="offline"))
    assert answer.provider == "offline"
    assert "5W-30" in answer.text
    assert model_server.requests == []
