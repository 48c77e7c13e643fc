"""Every way in which a model server fails ends in ModelDown in time; what it can recover from, it does."""

import asyncio
import gzip
import time
from email.utils import formatdate
from itertools import pairwise

import httpx2
import pytest
from tests.app.openai_stub import OpenAIStub, Reply, as_json, chat

from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Message
from genai_app.llm.failures import ModelFailed
from genai_app.llm.measured import Measured
from genai_app.llm.openai_model import OpenAIModel
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.llm.patience import ATTEMPTS, retry_after_seconds
from genai_app.metrics import Metrics
from genai_app.settings import Settings

pytestmark = pytest.mark.service

REQUEST = ChatRequest(
    messages=(Message("system", "Answer."), Message("user", "Which oil?")),
    question="Which oil?",
    agent="specs",
    temperature=0.1,
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


def model(
    server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics, *, seconds: float = 5, key: str = ""
) -> ChatModel:
    wire = OpenAIServer(http, server.base_url, key, seconds)
    return Measured(OpenAIModel(wire, provider="openai-compatible", model="some/model"), metrics)


async def test_a_completion_carries_text_tokens_and_the_model_that_really_answered(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    completion = await model(model_server, http, metrics, key="secret").complete(REQUEST)
    assert completion == Completion(
        "The engine takes 5W-30.", 11, 7, "stub-model", provider="openai-compatible", cost_known=False
    )
    [sent] = model_server.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer secret"
    assert sent.json["messages"] == [
        {"role": "system", "content": "Answer."},
        {"role": "user", "content": "Which oil?"},
    ]
    rendered = metrics.render().decode()
    assert 'llm_tokens_total{agent="specs",model="some/model",type="input"} 11.0' in rendered
    assert 'llm_tokens_total{agent="specs",model="some/model",type="output"} 7.0' in rendered
    assert 'llm_latency_seconds_count{agent="specs",model="some/model"} 1.0' in rendered


async def test_without_a_key_no_authorization_is_sent(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    await model(model_server, http, metrics).complete(REQUEST)
    assert "authorization" not in model_server.requests[0].headers


async def test_the_server_is_told_who_asks(model_server: OpenAIStub, http: httpx2.AsyncClient) -> None:
    variables = {"OPENROUTER_BASE_URL": model_server.base_url, "LLM_HTTP_REFERER": "https://cars.example"}
    wire = OpenAIServer.from_settings(Settings.from_environment(variables), http)
    await OpenAIModel(wire, provider="openrouter", model="m").complete(REQUEST)
    headers = model_server.requests[0].headers
    assert (headers["x-title"], headers["http-referer"]) == ("GenAI Auto", "https://cars.example")


async def test_one_connection_serves_many_calls(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    asked = model(model_server, http, metrics)
    for _ in range(3):
        await asked.complete(REQUEST)
    assert len(model_server.requests) == 3
    assert len(model_server.connections) == 1


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=429, headers=(("Retry-After", "0"),)),
        Reply(status=500),
        Reply(status=503, body=b"<html>gateway</html>"),
        Reply(resets=True),
        Reply(body=b'{"choices": [', promised=500),
        as_json({"error": {"code": 502, "message": "the provider failed"}}),
    ],
    ids=["429", "500", "503", "reset", "truncated", "error in a 200"],
)
async def test_a_passing_failure_is_tried_again(
    failure: Reply, model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [failure, chat("It takes 5W-30.")]
    assert (await model(model_server, http, metrics).complete(REQUEST)).text == "It takes 5W-30."
    assert len(model_server.requests) == 2


@pytest.mark.parametrize(
    ("failure", "kind", "calls"),
    [
        (Reply(status=500), "api_error", ATTEMPTS),
        (Reply(status=429, headers=(("Retry-After", "0"),)), "rate_limit", ATTEMPTS),
        (Reply(resets=True), "api_error", ATTEMPTS),
        (Reply(status=429, headers=(("Retry-After", "60"),)), "rate_limit", 1),
        (Reply(status=400), "validation_error", 1),
        (Reply(status=401), "api_error", 1),
        (Reply(status=404), "api_error", 1),
        (Reply(status=302, headers=(("Location", "http://127.0.0.1:1/"),)), "api_error", 1),
        (Reply(body=b"garbage"), "validation_error", 1),
        (Reply(body=b"[1]"), "validation_error", 1),
        (Reply(body=b"\xff\xfe{}"), "validation_error", 1),
        (Reply(body=b"[" * 100_000), "validation_error", 1),
        (Reply(body=b" " * 10 * 1024 * 1024), "validation_error", 1),
        (
            Reply(body=gzip.compress(b" " * 100 * 1024 * 1024), headers=(("Content-Encoding", "gzip"),)),
            "validation_error",
            1,
        ),
        (Reply(body=b"not gzip", headers=(("Content-Encoding", "gzip"),)), "validation_error", 1),
        (as_json({"choices": []}), "validation_error", 1),
        (chat(None), "validation_error", 1),
        (chat("<think>hm, 5W-30 perhaps"), "validation_error", 1),
    ],
    ids=lambda value: str(value)[:60] if not isinstance(value, Reply) else f"{value.status} {value.body[:16]!r}",
)
async def test_a_lasting_failure_is_model_down_and_counted(
    failure: Reply, kind: str, calls: int, model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [failure]
    with pytest.raises(ModelFailed) as caught:
        await model(model_server, http, metrics, seconds=20).complete(REQUEST)
    assert caught.value.kind == kind
    assert len(model_server.requests) == calls
    assert f'llm_errors_total{{error_type="{kind}",model="some/model"}} 1.0' in metrics.render().decode()


async def test_a_server_that_never_answers_costs_the_turn_its_time_and_not_more(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(hangs=True)]
    started = time.monotonic()
    with pytest.raises(ModelFailed) as caught:
        await model(model_server, http, metrics, seconds=0.3).complete(REQUEST)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - started < 2


async def test_nobody_listening_is_model_down(http: httpx2.AsyncClient) -> None:
    wire = OpenAIServer(http, "http://127.0.0.1:1/v1", "", 5)
    with pytest.raises(ModelFailed) as caught:
        await OpenAIModel(wire, provider="openrouter", model="m").complete(REQUEST)
    assert caught.value.kind == "api_error"


async def test_a_client_that_leaves_cancels_the_call(
    model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics
) -> None:
    model_server.script = [Reply(hangs=True)]
    call = asyncio.create_task(model(model_server, http, metrics, seconds=60).complete(REQUEST))
    async with asyncio.timeout(5):
        await model_server.arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("3", 3, 3),
        ("0.5", 0.5, 0.5),
        ("-1", 0, 0),
        (formatdate(time.time() + 3600, usegmt=True), 3000, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, least: float, most: float) -> None:
    seconds = retry_after_seconds(header)
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize("header", [None, "", "soon", "nan", "inf"])
def test_a_retry_after_without_sense_is_ignored(header: str | None) -> None:
    assert retry_after_seconds(header) is None


async def test_retries_are_spread_out(model_server: OpenAIStub, http: httpx2.AsyncClient, metrics: Metrics) -> None:
    model_server.script = [Reply(status=429, headers=(("Retry-After", "0.2"),)), Reply(status=503), chat("yes")]
    await model(model_server, http, metrics).complete(REQUEST)
    waits = [later.at - earlier.at for earlier, later in pairwise(model_server.requests)]
    assert waits[0] >= 0.2
    assert len(waits) == 2
