"""Runs an application: the API's server and, on its own port, the metrics for scrapers, in one event loop."""

import asyncio
import gc
import math
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from genai_app.errors import ConfigurationError
from genai_app.metrics import CONTENT_TYPE, Metrics
from genai_app.patience import PatientHTTP, PatientWebSocket
from genai_app.settings import Settings
from genai_contract.endpoints import DRAIN_SECONDS

LARGEST_FRAME = 64 * 1024
"""Bytes of a WebSocket message; a larger one closes the connection with 1009."""
PING_SECONDS, PONG_SECONDS = 25.0, 20.0

Drain = Callable[[float], Awaitable[None]]
"""Finishes what runs on WebSockets and closes them, within so many seconds."""

BACKLOG = 2048


class _Companion(uvicorn.Server):
    """A second server in a process whose signals belong to the first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(main: Coroutine[None, None, None]) -> None:
    """Run `main` to its end on the fastest event loop that is installed."""
    factory = uvicorn.Config(app="", loop="auto", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


class ApiServer(uvicorn.Server):
    """Lets what runs finish before it ends: uvicorn alone would close WebSockets in the middle of an answer."""

    def __init__(self, config: uvicorn.Config, drain: Drain, *, lasting: bool = False) -> None:
        """`lasting`: the process is there for this server alone."""
        super().__init__(config)
        self._drain = drain
        self._lasting = lasting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start. In a process of its own, what is there by then is no longer searched for garbage: 10 % of a turn."""
        await super().startup(sockets)
        if self._lasting:
            gc.collect()
            gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, drain the WebSockets, then the requests; all within the graceful time."""
        seconds = self.config.timeout_graceful_shutdown or 0
        started = time.monotonic()
        for server in self.servers:
            server.close()
        await self._drain(seconds)
        left = seconds - (time.monotonic() - started)
        self.config.timeout_graceful_shutdown = max(1, math.floor(left))
        await super().shutdown(sockets)


async def serve(app: ASGIApp, metrics: Metrics, settings: Settings, drain: Drain) -> None:
    """Serve until SIGINT or SIGTERM, then drain. Raises ConfigurationError when a port is taken."""
    with _listening(settings.api_host, settings.api_port, "API_PORT (--port)") as api_socket:
        api = ApiServer(api_configuration(app, settings.drain_seconds), drain, lasting=True)
        if not settings.metrics_port:
            await api.serve([api_socket])
            return
        with _listening(settings.api_host, settings.metrics_port, "METRICS_PORT") as metrics_socket:
            scrapes = _Companion(
                uvicorn.Config(
                    metrics_app(metrics), log_config=None, access_log=False, server_header=False, lifespan="off"
                )
            )
            companion = asyncio.create_task(scrapes.serve([metrics_socket]))
            try:
                await api.serve([api_socket])
            finally:
                scrapes.should_exit = True
                await companion


def api_configuration(app: ASGIApp, drain_seconds: int = DRAIN_SECONDS) -> uvicorn.Config:
    """How the API is served: proxies are `http.proxies`' business, and nothing is said about the server."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=drain_seconds,
        http=PatientHTTP,
        ws=PatientWebSocket,
        ws_max_size=LARGEST_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        ws_per_message_deflate=False,  # 100 KiB of memory a connection, for frames that hardly shrink
        lifespan="on",
    )


def metrics_app(metrics: Metrics) -> ASGIApp:
    """Answers every GET with the metrics, or those that `name[]` chooses: nothing else is on that port."""

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        allowed = scope["method"] in {"GET", "HEAD"}
        names = parse_qs(scope["query_string"].decode()).get("name[]", []) if allowed else []
        body = metrics.render(names) if allowed else b""
        headers = [
            (b"content-type", CONTENT_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 200 if allowed else 405, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


@contextmanager
def _listening(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """A bound socket, so that a taken port is one clear line instead of a stack."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that name it.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port} ({error.strerror}): choose another {setting} or stop what uses it"
            ) from error
        bound.listen(BACKLOG)
        bound.setblocking(False)
        yield bound
