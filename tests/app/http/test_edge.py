"""What the edge adds and refuses: origins, private paths, transport security, and what all of it costs."""

import pytest
from redis.asyncio import Redis
from tests.app.conftest import Api, Servers, running_api

from genai_app.errors import ConfigurationError
from genai_app.settings import Settings

pytestmark = pytest.mark.service

ORIGIN = "https://www.example.com"


async def test_pages_of_named_origins_may_call_and_read(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    settings = servers.settings(database, CORS_ALLOWED_ORIGINS=f"{ORIGIN}, http://localhost:5173")
    async with running_api(settings) as api:
        for origin in (ORIGIN, "http://localhost:5173"):
            allowed = await api.client.options(
                "/api/v1/chat",
                headers={
                    "Origin": origin,
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, if-match",
                },
            )
            assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, origin)
            assert "x-request-id" in allowed.headers
        who = await api.register()
        for reply in (
            await api.client.get("/api/v1/auth/me", headers={**who.headers, "Origin": ORIGIN}),
            await api.client.get("/api/v1/auth/me", headers={"Origin": ORIGIN}),
        ):
            assert reply.headers["access-control-allow-origin"] == ORIGIN
            assert "X-RateLimit-Remaining" in reply.headers["access-control-expose-headers"]
            assert "Origin" in reply.headers["vary"]
            assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "http://www.example.com", "https://www.example.com.evil.example",
        "https://evil-www.example.com", "https://www.example.com:8443", "null", "https://WWW.example.com", "*",
    ],
)  # fmt: skip
async def test_other_origins_may_not(servers: Servers, database: str, origin: str) -> None:
    async with running_api(servers.settings(database, CORS_ALLOWED_ORIGINS=ORIGIN)) as api:
        preflight = await api.client.options(
            "/api/v1/chat", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        assert (preflight.status_code, preflight.headers["content-type"]) == (400, "application/problem+json")
        assert preflight.json()["request_id"] == preflight.headers["x-request-id"]
        simple = await api.client.get("/livez", headers={"Origin": origin})
        for reply in (preflight, simple):
            assert "access-control-allow-origin" not in reply.headers


async def test_even_an_error_of_ours_can_be_read(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with running_api(servers.settings(database, CORS_ALLOWED_ORIGINS=ORIGIN)) as api:
        who = await api.register()
        await api.sql("DROP VIEW active_logins")
        reply = await api.client.get("/api/v1/auth/me", headers={**who.headers, "Origin": ORIGIN})
        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (500, ORIGIN)
        assert reply.json()["request_id"] == reply.headers["x-request-id"]
        assert "active_logins" not in reply.text
        counted = 'http_errors_total{endpoint="/api/v1/auth/me",method="GET",status_code="500"}'
        assert (await api.metrics())[counted] == 1


async def test_without_origins_nobody_is_allowed(api: Api) -> None:
    preflight = await api.client.options(
        "/api/v1/chat", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]


async def test_every_origin_is_possible_outside_production(servers: Servers, database: str) -> None:
    async with running_api(servers.settings(database, CORS_ALLOWED_ORIGINS="*")) as api:
        reply = await api.client.get("/livez", headers={"Origin": "https://anything.example"})
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("trusted", ["", "127.0.0.0/8"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
@pytest.mark.parametrize("path", ["/api/v1/metrics", "/api/v1/%6Detrics", "/x/../api/v1/metrics"])
async def test_metrics_are_not_there_for_what_comes_through_a_proxy(
    servers: Servers, database: str, trusted: str, header: str, path: str
) -> None:
    async with running_api(servers.settings(database, TRUSTED_PROXIES=trusted)) as api:
        assert (await api.client.get("/api/v1/metrics")).status_code == 200
        hidden = await api.client.get(path, headers={header: "203.0.113.9"})
        nowhere = await api.client.get("/nowhere", headers={header: "203.0.113.9"})
    assert (hidden.status_code, nowhere.status_code) == (404, 404)
    assert {**hidden.json(), "request_id": ""} == {**nowhere.json(), "request_id": ""}


async def test_private_paths_are_hidden_with_all_below_them(servers: Servers, database: str) -> None:
    through = {"X-Forwarded-For": "203.0.113.9"}
    async with running_api(servers.settings(database, PRIVATE_PATHS="/docs/, /api/v1/auth")) as api:
        for path, inside in (("/docs", 200), ("/api/v1/auth/me", 401)):
            assert (await api.client.get(path, headers=through)).status_code == 404
            assert (await api.client.get(path)).status_code == inside
        assert (await api.client.get("/openapi.json", headers=through)).status_code == 200
        assert (await api.client.get("/api/v1/metrics", headers=through)).status_code == 200, "it was not named"


async def test_a_private_websocket_is_refused(servers: Servers, database: str) -> None:
    async with running_api(servers.settings(database, PRIVATE_PATHS="/ws")) as api:
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        async def receive() -> dict[str, object]:
            return {"type": "websocket.connect"}

        scope = {"type": "websocket", "path": "/ws/chat", "headers": [(b"x-forwarded-for", b"203.0.113.9")]}
        await api.app(scope, receive, send)  # type: ignore[arg-type]  # plain dictionaries
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("paths", ["docs", "/", "//"])
def test_a_private_path_that_is_none_stops_the_start(paths: str) -> None:
    with pytest.raises(ConfigurationError, match="PRIVATE_PATHS"):
        _ = Settings.from_environment({"PRIVATE_PATHS": paths}).hidden_paths


@pytest.mark.parametrize(("trusted", "scheme", "strict"), [
    ("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("10.0.0.0/8", "https", False), ("", "https", False),
])  # fmt: skip
async def test_transport_security_is_demanded_once_there_is_tls(
    servers: Servers, database: str, trusted: str, scheme: str, strict: bool
) -> None:
    async with running_api(servers.settings(database, TRUSTED_PROXIES=trusted)) as api:
        reply = await api.client.get("/livez", headers={"X-Forwarded-Proto": scheme})
    assert ("strict-transport-security" in reply.headers) is strict
