"""The outermost layer of the API, as plain ASGI: request id, security headers, private paths, measurements."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Collection

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genai_app.http.problems import of_status
from genai_app.http.proxies import came_through_a_proxy
from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_contract.metrics import HTTP_ERRORS, REQUEST_LATENCY, REQUESTS_IN_PROGRESS

log = get_logger(__name__)
_requests = logging.getLogger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
"""What we accept from a caller: a short token that cannot forge a log line."""

CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For replies that are data; a page brings its own Content-Security-Policy."""

_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Edge:
    """Wraps `app`. `endpoint_of` gives the route template of a path: metrics never carry raw paths.

    `largest_body` is in bytes; whoever reads more of a request gets a 413. What is at or below a `private` path is not
    there for whoever comes through a proxy: an ingress may route it all the same.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        endpoint_of: Callable[[str], str],
        largest_body: int,
        private: Collection[str],
    ) -> None:
        self._app = app
        self._private = frozenset(path.rstrip("/") for path in private)
        self._below_private = tuple(f"{path}/" for path in self._private)
        self._largest_body = largest_body
        self._metrics = metrics
        self._endpoint_of = endpoint_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket" and self._is_hidden(scope):
                await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
                return
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        endpoint, started, status = self._endpoint_of(scope["path"]), time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(scope, message, request_id, started)
            await send(message)

        self._metrics.change(REQUESTS_IN_PROGRESS, 1, endpoint=endpoint)
        try:
            if self._is_hidden(scope):
                await of_status(404, request_id)(scope, receive, send_with_headers)
            else:
                await self._app(scope, self._bounded(receive), send_with_headers)
        finally:
            self._metrics.change(REQUESTS_IN_PROGRESS, -1, endpoint=endpoint)
            self._record(endpoint, scope["method"], status, time.perf_counter() - started)

    def _is_hidden(self, scope: Scope) -> bool:
        path = scope["path"]
        return (path in self._private or path.startswith(self._below_private)) and came_through_a_proxy(scope)

    def _bounded(self, receive: Receive) -> Receive:
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._largest_body:
                raise HTTPException(413)  # the one error that FastAPI lets through while it reads a body
            return message

        return receive_bounded

    def _record(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        if method not in _METHODS:
            method = "OTHER"
        self._metrics.observe(REQUEST_LATENCY, seconds, endpoint=endpoint, method=method)
        if status >= 400:
            self._metrics.count(HTTP_ERRORS, endpoint=endpoint, method=method, status_code=str(status))
        if _requests.isEnabledFor(logging.INFO):  # a line that nobody wants costs as much as all the rest here
            log.info("request", method=method, endpoint=endpoint, status=status, milliseconds=round(seconds * 1000, 2))

    def _headers(self, scope: Scope, message: Message, request_id: str, started: float) -> list[tuple[bytes, bytes]]:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        headers += _HEADERS
        headers.append((b"x-request-id", request_id.encode()))
        headers.append((b"x-response-time", f"{(time.perf_counter() - started) * 1000:.2f}ms".encode()))
        if not any(name.lower() == b"content-security-policy" for name, _ in headers):
            headers.append((b"content-security-policy", CONTENT_POLICY.encode()))
        if scope["scheme"] == "https":
            headers.append(_STRICT_TRANSPORT)
        return headers


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            accepted: str = value.decode()
            return accepted
    return str(uuid.uuid4())
