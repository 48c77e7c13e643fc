"""Every refusal is a problem document that says what to do, whatever is sent."""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.app.conftest import QUESTION, Api, Login

pytestmark = pytest.mark.service

MEMBERS = {"type", "title", "status", "detail", "request_id"}
JSON = {"Content-Type": "application/json"}
LEAKS = ("Traceback", "asyncpg", "pydantic", "SELECT", "sqlalchemy", "psycopg", "redis.", 'File "')


@pytest.fixture(scope="session")
async def ana(shared_api: Api) -> Login:
    """One account for all bodies that are refused."""
    return await shared_api.register()


def check(reply: Any, status: int) -> dict[str, Any]:
    """The reply's problem, once it is one."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = reply.json()
    assert problem.keys() >= MEMBERS
    assert (problem["status"], problem["request_id"]) == (status, reply.headers["x-request-id"])
    assert problem["type"].startswith("urn:genai-auto:problem:")
    assert not [leak for leak in LEAKS if leak in reply.text]
    return problem


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b'{"message": ""}', 422),
        (b'{"message": " \\n "}', 422),
        (b'{"message": 7}', 422),
        (b'{"message": "\\u0000"}', 422),
        (b'{"message": "\\ud800"}', 422),
        (json.dumps({"message": "x" * 8001}).encode(), 422),
        (b'{"message": "x", "session_id": "../../etc"}', 422),
        (b'{"message": "x", "customer_id": "1 OR 1=1"}', 422),
        (b'{"message": "x", "metadata": {"a": "\\u0000"}}', 422),
        (b'{"message": "x", "metadata": {"\\ud800": 1}}', 422),
        (b'{"message": "x", "metadata": {"a": NaN}}', 422),
        (b'{"message": "x", "metadata": ' + b'{"a":' * 30 + b"1" + b"}" * 30 + b"}", 422),
        (b"[" * 100_000, 400),
        (b'{"message": "' + b"x" * 300_000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_bad_body_is_refused_with_a_problem(api: Api, ana: Login, body: bytes, status: int) -> None:
    check(await api.client.post("/api/v1/chat", content=body, headers={**ana.headers, **JSON}), status)


async def test_a_validation_problem_points_at_the_fields(api: Api, ana: Login) -> None:
    body = {"message": "", "session_id": "no spaces", "vehicle_id": "x"}
    problem = check(await api.client.post("/api/v1/chat", json=body, headers=ana.headers), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/message", "/session_id", "/vehicle_id"]
    assert all(error.keys() == {"pointer", "detail", "code"} for error in problem["errors"])


@pytest.mark.parametrize(("length", "status"), [(8000, 200), (8001, 422)])
async def test_the_longest_message(api: Api, ana: Login, length: int, status: int) -> None:
    message = (QUESTION + " ").ljust(length, "x")
    assert (await api.chat(ana, message)).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/chat/history", 404),
        ("GET", "/api/v1/chat", 405),
        ("DELETE", "/health", 405),
        ("POST", "/docs", 405),
        ("GET", "/docs/assets/../../pyproject.toml", 404),
    ],
)
async def test_a_wrong_path_or_method_is_a_problem(api: Api, method: str, path: str, status: int) -> None:
    reply = await api.client.request(method, path)
    check(reply, status)
    assert status != 405 or reply.headers["allow"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_of_another_type_is_a_problem(api: Api, ana: Login, media_type: str) -> None:
    headers = {**ana.headers, "Content-Type": media_type}
    check(await api.client.post("/api/v1/chat", content=b'{"message": "x"}', headers=headers), 415)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/chat/history/%00", "/api/v1/chat/history/a%20b", "/api/v1/chat/history/" + "a" * 129,
        "/api/v1/chat/sessions?limit=0", "/api/v1/chat/sessions?limit=201", "/api/v1/chat/sessions?limit=x",
        "/api/v1/chat/sessions?cursor=x", "/api/v1/chat/sessions?cursor=WzFd",
        "/api/v1/chat/sessions?cursor=WyIyMDI2LTAxLTAxIiwgImEiXQ", "/api/v1/chat/history/x?cursor=WyJhIl0",
    ],
)  # fmt: skip
async def test_a_bad_parameter_is_a_problem(api: Api, ana: Login, path: str) -> None:
    check(await api.client.get(path, headers=ana.headers), 422)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["session_id", "customer_id", "vehicle_id", "metadata", "other"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(fields, json_values, max_size=4), message=json_values)
async def test_no_json_breaks_a_turn(api: Api, ana: Login, body: dict[str, Any], message: Any) -> None:
    headers = {**ana.headers, **JSON}
    content = json.dumps({**body, "message": message}).encode()
    reply = await api.client.post("/api/v1/chat", content=content, headers=headers)
    if reply.status_code != 200:
        assert reply.status_code in {404, 422, 429}
        check(reply, reply.status_code)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=st.text(string.printable, max_size=60))
async def test_no_cursor_breaks_a_list(api: Api, ana: Login, cursor: str) -> None:
    reply = await api.client.get("/api/v1/chat/sessions", params={"cursor": cursor}, headers=ana.headers)
    assert reply.status_code in {200, 422, 429}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("trace-0123456789", True), ("a" * 64, True), ("a" * 65, False), ("short", False), ("has space here", False)],
)
async def test_a_request_id_is_kept_only_if_it_is_a_short_token(api: Api, sent: str, kept: bool) -> None:
    reply = await api.client.get("/livez", headers={"X-Request-ID": sent})
    assert (reply.headers["x-request-id"] == sent) is kept


@pytest.mark.parametrize("path", ["/livez", "/health", "/docs", "/redoc", "/nowhere", "/openapi.json"])
async def test_every_reply_carries_the_security_headers(api: Api, path: str) -> None:
    headers = (await api.client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "permissions-policy" in headers
    assert "server" not in headers
    assert "strict-transport-security" not in headers


async def test_the_documentation_needs_nobody_else(api: Api) -> None:
    for path in ("/docs", "/redoc"):
        page = await api.client.get(path)
        policy = page.headers["content-security-policy"]
        assert "http:" not in page.text.replace("http://www.w3.org", "")
        assert "https:" not in page.text
        assert "'unsafe-eval'" not in policy
        assert "script-src 'self'" in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"):
        assert (await api.client.get(f"/docs/assets/{asset}")).status_code == 200
