"""One turn on a WebSocket: its frames, its error if it has one, and the measurements that a request would have."""

import time
import uuid
from contextlib import aclosing, suppress
from typing import Final

import structlog
from fastapi import WebSocketDisconnect

from genai_app.chat.ask import Ask
from genai_app.chat.frames import error_frame, frame_of
from genai_app.chat.socket_services import Send, SocketServices
from genai_app.errors import Cancelled
from genai_app.http.problems import document_of, log_unexpected
from genai_app.logs import get_logger
from genai_contract.endpoints import WEBSOCKET_PATH
from genai_contract.metrics import HTTP_ERRORS, REQUEST_LATENCY, REQUESTS_IN_PROGRESS

METHOD: Final = "WEBSOCKET"
"""The metrics' method of a turn on a WebSocket; its endpoint is the path's template."""

log = get_logger(__name__)


async def run_turn(services: SocketServices, token: str, ask: Ask, send: Send) -> None:
    """Answer a message; the last frame is `complete` or `error`. Cancelling it stops the turn, without a frame."""
    request_id, started, status = str(uuid.uuid4()), time.perf_counter(), Cancelled.status
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    services.metrics.change(REQUESTS_IN_PROGRESS, 1, endpoint=WEBSOCKET_PATH)
    try:
        await _forward(services, token, ask, send)
        status = 200
    except WebSocketDisconnect:
        pass
    except Exception as error:  # noqa: BLE001 - the connection outlives whatever it is
        log_unexpected(error)
        problem = document_of(error, request_id)
        status = problem["status"]
        with suppress(WebSocketDisconnect):
            await send(error_frame(problem))
    finally:
        _record(services, status, time.perf_counter() - started)


async def _forward(services: SocketServices, token: str, ask: Ask, send: Send) -> None:
    login = services.accounts.claims(token)
    async with services.turns.begun(login, ask) as turn, aclosing(services.turns.events(turn)) as events:
        async for event in events:
            await send(frame_of(event))


def _record(services: SocketServices, status: int, seconds: float) -> None:
    services.metrics.change(REQUESTS_IN_PROGRESS, -1, endpoint=WEBSOCKET_PATH)
    services.metrics.observe(REQUEST_LATENCY, seconds, endpoint=WEBSOCKET_PATH, method=METHOD)
    if status >= 400:
        services.metrics.count(HTTP_ERRORS, endpoint=WEBSOCKET_PATH, method=METHOD, status_code=str(status))
    log.info("turn", method=METHOD, endpoint=WEBSOCKET_PATH, status=status, milliseconds=round(seconds * 1000, 2))
