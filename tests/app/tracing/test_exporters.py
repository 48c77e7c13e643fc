"""Traces arrive at LangSmith and at a collector, whole and masked; a slow or broken one never costs an answer."""

import asyncio
import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, running_api, until
from tests.app.recorder import Recorder, recording

from genai_app.errors import ConfigurationError
from genai_app.tracing import langsmith

pytestmark = pytest.mark.service

MESSAGE = "I am ana.souza@example.com: which engine oil does it take?"
KEY = "lsv2_test_key"


def posted(recorder: Recorder) -> list[dict[str, Any]]:
    """The runs that arrived at LangSmith."""
    return [run for request in recorder.requests for run in json.loads(request.body)["post"]]


def to_langsmith(url: str) -> dict[str, str]:
    return {
        "LANGCHAIN_TRACING_V2": "true",
        "LANGCHAIN_API_KEY": KEY,
        "LANGCHAIN_ENDPOINT": url,
        "LANGCHAIN_PROJECT": "our-project",
    }


async def traces(api: Api, outcome: str) -> float:
    name = f'traces_total{{exporter="langsmith",outcome="{outcome}"}}'
    return (await api.metrics()).get(name, 0)


async def test_a_turn_arrives_at_langsmith_as_one_masked_tree(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with recording(202) as collector:
        async with running_api(servers.settings(database, **to_langsmith(collector.url))) as api:
            reply = (await api.chat(await api.register(), MESSAGE)).json()
            await until(lambda: bool(collector.requests))
        runs = posted(collector)
    assert {request.path for request in collector.requests} == {"/runs/batch"}
    assert collector.requests[0].headers["x-api-key"] == KEY
    root = next(run for run in runs if "parent_run_id" not in run or run["parent_run_id"] is None)
    assert root["inputs"]["message"] == "I am [EMAIL]: which engine oil does it take?"
    assert root["outputs"]["response"] == reply["response"]
    assert root["session_name"] == "our-project"
    assert {run["run_type"] for run in runs} >= {"chain", "retriever"}
    assert "ana.souza" not in collector.text


async def test_a_broken_langsmith_is_counted_and_nobody_notices(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with (
        recording(401, b'{"detail": "no"}') as collector,
        running_api(servers.settings(database, **to_langsmith(collector.url))) as api,
    ):
        assert (await api.chat(await api.register(), MESSAGE)).status_code == 200
        await until(lambda: bool(collector.requests))
        async with asyncio.timeout(20):
            while not await traces(api, "failed"):
                pass  # it has just been answered with 401
        assert await traces(api, "sent") == 0


async def test_traces_that_find_the_queue_full_are_dropped_and_counted(
    servers: Servers, database: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ = redis
    monkeypatch.setattr(langsmith, "LONGEST_QUEUE", 1)
    async with (
        recording(202) as collector,
        running_api(servers.settings(database, **to_langsmith(collector.url))) as api,
    ):
        who = await api.register()
        collector.gate.clear()
        assert (await api.chat(who, MESSAGE)).status_code == 200
        await until(lambda: bool(collector.requests))  # the first trace is on its way and gets no answer
        for _ in range(3):
            assert (await api.chat(who, MESSAGE)).status_code == 200
        assert await traces(api, "dropped") == 2
        collector.gate.set()


async def test_libraries_do_not_trace_by_themselves(
    servers: Servers, database: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LangGraph reads these variables itself, and would send the state of a turn as it is."""
    _ = redis
    async with recording(202) as collector:
        for name, value in to_langsmith(collector.url).items():
            monkeypatch.setenv(name, value)
        async with running_api(servers.settings(database)) as api:
            assert (await api.chat(await api.register(), MESSAGE)).status_code == 200
    assert collector.requests == []


def test_the_switch_without_a_key_stops_the_start(servers: Servers) -> None:
    with pytest.raises(ConfigurationError, match="LANGCHAIN_API_KEY"):
        servers.settings("any", LANGCHAIN_TRACING_V2="true")


async def test_a_collector_gets_the_request_and_the_turn_below_it(
    servers: Servers, database: str, redis: Redis
) -> None:
    _ = redis
    settings = {"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=garage", "OTEL_SERVICE_NAME": "chat-of-the-garage"}
    async with recording() as collector:
        async with running_api(
            servers.settings(database, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **settings)
        ) as api:
            who = await api.register()
            assert (await api.chat(who, MESSAGE)).status_code == 200
            await api.client.get("/api/v1/chat/history/ana.souza@example.com", headers=who.headers)
            await api.client.get("/livez")
        requests = [request for request in collector.requests if request.path == "/v1/traces"]
    assert requests[0].headers["x-tenant"] == "garage"
    spans: dict[str, Any] = {}
    for request in requests:
        parsed = ExportTraceServiceRequest.FromString(request.body)
        for resource in parsed.resource_spans:
            assert "chat-of-the-garage" in {item.value.string_value for item in resource.resource.attributes}
            spans |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert spans["turn"].parent_span_id == spans["POST /api/v1/chat"].span_id
    assert spans["retrieve"].parent_span_id in {span.span_id for span in spans.values()}
    assert not {name for name in spans if "livez" in name}
    assert b"ana.souza" not in b"".join(request.body for request in requests)
    assert b"[EMAIL]" in b"".join(request.body for request in requests)


async def test_off_by_default(api: Api) -> None:
    assert api.app.state.tracer_provider is None
    assert not [name for name in await api.metrics() if name.startswith("traces_total{")]
