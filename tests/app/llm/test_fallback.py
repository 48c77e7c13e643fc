"""Several models as one: in order, in time, and never a second one after the first word of another."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import httpx2
import pytest
from tests.app.openai_stub import OpenAIStub, Reply, chat, streamed

from genai_app.errors import ConfigurationError
from genai_app.llm import circuit
from genai_app.llm.building import build_chat_model
from genai_app.llm.chat_model import ChatModel, ChatRequest, Message, TextDelta
from genai_app.llm.circuit import LONGEST_WAIT_SECONDS, PAUSE_SECONDS, THRESHOLD, Circuit
from genai_app.llm.failures import ModelCut, ModelFailed
from genai_app.metrics import Metrics
from genai_app.settings import Settings

pytestmark = pytest.mark.service

REQUEST = ChatRequest(messages=(Message("user", "Which oil?"),), question="?", agent="specs", temperature=0.1)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


def models(
    server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics, fallbacks: str = "two, three:free", **variables: str
) -> ChatModel:
    """LLM_MODEL=one and its fallbacks, as a process has them."""
    return build_chat_model(
        Settings.from_environment(
            {
                "OPENROUTER_API_KEY": "key",
                "OPENROUTER_BASE_URL": server.base_url,
                "LLM_MODEL": "one",
                "LLM_FALLBACK_MODELS": fallbacks,
                "LLM_TIMEOUT_SECONDS": "5",
                **variables,
            }
        ),
        metrics,
        http,
    )


def asked(server: OpenAIStub) -> list[str]:
    return [request.json["model"] for request in server.requests]


@pytest.mark.parametrize("failure", [Reply(status=401), Reply(status=400), Reply(body=b"garbage")])
async def test_the_next_model_answers_when_one_fails(
    failure: Reply, model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [failure, failure, chat("It takes 5W-30.")]
    completion = await models(model_server, http, metrics).complete(REQUEST)
    assert completion.text == "It takes 5W-30."
    assert asked(model_server) == ["one", "two", "three:free"]
    assert 'llm_errors_total{error_type="' in metrics.render().decode()


async def test_when_all_fail_the_last_failure_is_told(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(status=401)]
    with pytest.raises(ModelFailed, match="OPENROUTER_API_KEY"):
        await models(model_server, http, metrics).complete(REQUEST)
    assert asked(model_server) == ["one", "two", "three:free"]


async def test_who_is_left_alone_is_not_reachable_until_one_answers(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit, "PAUSE_SECONDS", 0.0)
    model = models(model_server, http, metrics)
    assert (model.reachable, "llm_reachable 1.0" in metrics.render().decode()) == (True, True)
    model_server.script = [Reply(status=401)]
    for _ in range(THRESHOLD):
        with pytest.raises(ModelFailed):
            await model.complete(REQUEST)
    assert (model.reachable, "llm_reachable 0.0" in metrics.render().decode()) == (False, True)
    model_server.script = [chat("It takes 5W-30.")]
    await model.complete(REQUEST)
    assert (model.reachable, "llm_reachable 1.0" in metrics.render().decode()) == (True, True)


async def test_a_model_that_is_silent_leaves_time_for_the_next(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(hangs=True), chat("It takes 5W-30.")]
    silent = models(model_server, http, metrics, "two", LLM_TIMEOUT_SECONDS="1")
    assert (await silent.complete(REQUEST)).text == "It takes 5W-30."
    assert 'llm_errors_total{error_type="timeout",model="one"} 1.0' in metrics.render().decode()


async def test_all_models_together_take_the_time_of_one_call(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(hangs=True)]
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(ModelFailed):
        await models(model_server, http, metrics, LLM_TIMEOUT_SECONDS="0.6").complete(REQUEST)
    assert asked(model_server) == ["one", "two", "three:free"]
    assert loop.time() - started < 2


async def test_a_reply_that_breaks_after_its_first_word_has_no_second_author(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [streamed("It takes", finish=None, end=False, resets=True), chat("never")]
    async with aclosing(models(model_server, http, metrics).stream(REQUEST)) as deltas:
        assert await anext(deltas) == TextDelta("It takes")
        with pytest.raises(ModelCut):
            await anext(deltas)
    assert asked(model_server) == ["one"]


@pytest.mark.parametrize(("allowed", "who"), [("free", ["three:free"]), ("offline", [])])
async def test_a_spent_budget_leaves_the_free_models_or_none(
    allowed: str, who: list[str], model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    request = replace(REQUEST, models=allowed)  # type: ignore[arg-type]  # a parameter of the test is no literal
    try:
        await models(model_server, http, metrics).complete(request)
    except ModelFailed:
        assert who == []
    assert asked(model_server) == who


async def test_a_model_that_keeps_failing_is_left_alone(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(status=401)]
    failing = models(model_server, http, metrics, "")
    for _ in range(THRESHOLD + 2):
        with pytest.raises(ModelFailed):
            await failing.complete(REQUEST)
    assert len(model_server.requests) == THRESHOLD
    assert 'dependency_down_total{dependency="model",policy="circuit-open"} 2.0' in metrics.render().decode()


async def test_a_server_that_asks_to_wait_is_not_asked_by_the_next_turn(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(status=429, headers=(("Retry-After", "60"),)), chat("yes")]
    limited = models(model_server, http, metrics, "two")
    for _ in range(2):
        assert (await limited.complete(REQUEST)).text == "yes"
    assert asked(model_server) == ["one", "two", "two"]


def test_more_than_five_fallbacks_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="LLM_FALLBACK_MODELS names more than 5 models"):
        Settings.from_environment({"LLM_FALLBACK_MODELS": "a,b,c,d,e,f"})


def test_an_open_circuit_lets_one_trial_through_in_each_pause() -> None:
    circuit = Circuit()
    for _ in range(THRESHOLD):
        assert circuit.allows(0)
        circuit.failed(0, None)
    assert not circuit.allows(PAUSE_SECONDS - 1)
    assert circuit.allows(PAUSE_SECONDS)
    assert not circuit.allows(PAUSE_SECONDS + 1)
    circuit.succeeded()
    assert circuit.allows(PAUSE_SECONDS + 1)


def test_a_wait_that_a_server_asks_for_is_bounded() -> None:
    circuit = Circuit()
    circuit.failed(0, 86_400)
    assert not circuit.allows(LONGEST_WAIT_SECONDS - 1)
    assert circuit.allows(LONGEST_WAIT_SECONDS)
