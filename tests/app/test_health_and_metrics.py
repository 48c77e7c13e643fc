"""What probes, monitors and scrapers see."""

import re

import pytest
from tests.app.conftest import Api, Servers, running_api

from genai_app import __version__
from genai_app.serving import metrics_app
from genai_contract import metrics as specs
from genai_contract.metrics import MetricSpec

pytestmark = pytest.mark.service


async def test_health_is_exactly_the_guides(api: Api) -> None:
    reply = await api.client.get("/health")
    assert (reply.status_code, reply.json()) == (
        200,
        {
            "status": "healthy",
            "version": __version__,
            "services": {"database": "connected", "redis": "connected", "llm": "offline"},
        },
    )


async def test_a_configured_model_is_said_so(servers: Servers, database: str) -> None:
    settings = servers.settings(database, OPENROUTER_API_KEY="sk-or-v1-x", OPENROUTER_BASE_URL="http://127.0.0.1:9/v1")
    async with running_api(settings) as api:
        assert (await api.client.get("/health")).json()["services"]["llm"] == "configured"


async def test_a_model_that_nobody_reaches_is_said_so(servers: Servers, database: str) -> None:
    settings = servers.settings(database, OPENROUTER_API_KEY="sk-or-v1-x", OPENROUTER_BASE_URL="http://127.0.0.1:9/v1")
    async with running_api(settings) as api:
        who = await api.register()
        for number in range(3):
            await api.chat(who, f"Which oil does the engine take, number {number}?")
        health = (await api.client.get("/health")).json()
        assert (health["status"], health["services"]["llm"]) == ("healthy", "unreachable")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes_answer(api: Api, path: str) -> None:
    assert (await api.client.get(path)).status_code == 200


async def test_metrics_are_prometheus_text_on_both_ports(api: Api) -> None:
    inside = await api.client.get("/api/v1/metrics")
    assert inside.headers["content-type"].startswith("text/plain; version=0.0.4")
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    await metrics_app(api.app.state.metrics)({"type": "http", "method": "GET", "query_string": b""}, receive, send)  # type: ignore[arg-type]  # plain dictionaries
    assert sent[0]["status"] == 200
    assert b"genai_auto_build_info" in bytes(sent[1]["body"])  # type: ignore[call-overload]  # the body's type is bytes


async def test_a_scraper_may_choose_metrics_by_name(api: Api) -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    query = b"name[]=llm_reachable&name[]=database_size_bytes&name[]=unknown"
    scope = {"type": "http", "method": "GET", "query_string": query}
    await metrics_app(api.app.state.metrics)(scope, receive, send)  # type: ignore[arg-type]  # plain dictionaries
    lines = bytes(sent[1]["body"]).decode().splitlines()  # type: ignore[call-overload]  # the body's type is bytes
    names = {line.split()[0] for line in lines if not line.startswith("#")}
    assert names == {"llm_reachable", "database_size_bytes"}


MOVED_BY_A_TURN = (
    specs.REQUEST_LATENCY, specs.AGENT_ROUTING, specs.AGENT_ROUTING_CONFIDENCE, specs.RAG_SIMILARITY,
    specs.RAG_DOCUMENTS, specs.RAG_LATENCY, specs.CACHE_OPERATIONS, specs.CACHE_LATENCY, specs.BUILD_INFO,
    specs.CHAT_SESSIONS, specs.TASK_COMPLETION, specs.TASK_DURATION,
)  # fmt: skip


async def test_a_turn_moves_the_metrics(own_api: Api) -> None:
    who = await own_api.register()
    await own_api.chat(who)
    await own_api.chat(who)
    await own_api.client.get("/nowhere")
    samples = await own_api.metrics()

    def total(spec: MetricSpec) -> float:
        name = f"{spec.name}_count" if spec.kind == "histogram" else spec.name
        return sum(value for sample, value in samples.items() if sample.partition("{")[0] == name)

    assert [spec.name for spec in MOVED_BY_A_TURN if total(spec) <= 0] == []
    assert samples['cache_operations_total{cache_type="response",operation="hit"}'] == 1
    assert samples['cache_operations_total{cache_type="response",operation="miss"}'] == 1
    assert samples['request_latency_seconds_count{endpoint="/api/v1/chat",method="POST"}'] == 2
    assert samples['http_errors_total{endpoint="unmatched",method="GET",status_code="404"}'] == 1
    assert samples['requests_in_progress{endpoint="/api/v1/chat"}'] == 0
    assert samples['requests_in_progress{endpoint="/api/v1/metrics"}'] == 1


async def test_no_path_and_no_method_of_a_caller_becomes_a_label(own_api: Api) -> None:
    who = await own_api.register()
    for path in ("/a/b/c", "/api/v1/chat/history/one", "/api/v1/chat/history/two", "/docs/assets/x"):
        await own_api.client.get(path, headers=who.headers)
    await own_api.client.request("BREW", "/livez")
    labels = "".join(await own_api.metrics())
    endpoints = set(re.findall(r'endpoint="([^"]*)"', labels))
    assert "/api/v1/chat/history/{session_id}" in endpoints
    assert not {endpoint for endpoint in endpoints if "one" in endpoint or "/a/" in endpoint or endpoint.endswith("/x")}
    assert set(re.findall(r'method="([^"]*)"', labels)) <= {"GET", "POST", "OTHER"}
