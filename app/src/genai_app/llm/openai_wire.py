"""A thin client of any OpenAI-compatible server over the process's pooled HTTP client: bytes in, JSON objects out.

Every way in which a server can fail ends in ModelFailed within the time of a turn; no library's words get out.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import httpx2

from genai_app.llm.failures import ModelFailed
from genai_app.llm.patience import before, retry_after_seconds, retrying, within
from genai_app.settings import Settings

CONNECT_SECONDS: Final = 3.0
SILENCE_SECONDS: Final = 30.0
"""Longest wait for the next bytes of a stream; servers that let a model think send comments meanwhile."""
LAST_BYTE_SECONDS: Final = 0.1
"""Between a stream's `[DONE]` and the end of the reply, which mostly come together."""
LARGEST_REPLY: Final = 8 * 1024 * 1024
"""Bytes, decoded. 100 vectors of 3,072 numbers are 6 MB of JSON; a chat reply is a thousandth of that."""
LARGEST_EVENT: Final = 1024 * 1024
WORTH_RETRYING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
OUR_REQUEST: Final = frozenset({400, 413, 415, 422})


@dataclass(frozen=True)
class OpenAIServer:
    """Where requests go. `total_seconds` bounds one call with all its retries; `referer` names this installation."""

    http: httpx2.AsyncClient
    base_url: str
    api_key: str
    total_seconds: float
    referer: str = ""

    @classmethod
    def from_settings(cls, settings: Settings, http: httpx2.AsyncClient) -> Self:
        """The server of OPENROUTER_BASE_URL."""
        return cls(
            http=http,
            base_url=settings.openrouter_base_url.rstrip("/"),
            api_key=settings.openrouter_api_key.get_secret_value(),
            total_seconds=settings.llm_timeout_seconds,
            referer=settings.llm_http_referer,
        )

    def deadline(self) -> float:
        """When a call that begins now must have ended, in the time of the event loop."""
        return asyncio.get_running_loop().time() + self.total_seconds

    async def post(self, path: str, payload: dict[str, Any], *, model: str) -> dict[str, Any]:
        """The server's JSON object, with retries. Raises ModelFailed."""
        deadline = self.deadline()

        async def once() -> dict[str, Any]:
            async with aclosing(self.replies(path, payload, deadline)) as replies:
                async for reply in replies:
                    return reply
            raise ModelFailed("validation_error", "The model server's reply is empty.")

        return await within(deadline, model, lambda: retrying(once, deadline))

    async def replies(
        self, path: str, payload: dict[str, Any], deadline: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The JSON objects of one reply: each event of a stream, or the one of a plain reply. Raises ModelFailed.

        A stream that ends without `[DONE]` simply ends. Closing the generator closes the connection.
        """
        async with self._opened(path, payload, deadline) as response:
            if response.status_code != httpx2.codes.OK:
                raise _refusal(response.status_code, response.headers.get("Retry-After"))
            if not response.headers.get("Content-Type", "").lower().startswith("text/event-stream"):
                async with asyncio.timeout_at(deadline):
                    body = await _bounded(response)
                yield _object(body)
                return
            received = 0
            events = before(deadline, httpx2.EventSource(response, max_event_size=LARGEST_EVENT))
            async for event in events:
                if event.data.strip() == "[DONE]":
                    await _read_to_the_end(events)
                    return
                received += len(event.data)
                if received > LARGEST_REPLY:
                    raise ModelFailed("validation_error", f"The model's stream is longer than {LARGEST_REPLY} bytes.")
                if event.data:
                    yield _object(event.data)

    @asynccontextmanager
    async def _opened(
        self, path: str, payload: dict[str, Any], deadline: float
    ) -> AsyncGenerator[httpx2.Response, None]:
        """The response, its body unread; closed at the end, which cuts a stream that is still running."""
        with _translated():
            request = self.http.build_request(
                "POST",
                f"{self.base_url}{path}",
                json=payload,
                headers=self._headers(),
                timeout=httpx2.Timeout(
                    self.total_seconds,
                    connect=min(CONNECT_SECONDS, self.total_seconds),
                    read=min(SILENCE_SECONDS, self.total_seconds) if payload.get("stream") else self.total_seconds,
                ),
            )
            async with asyncio.timeout_at(deadline):
                response = await self.http.send(request, stream=True, follow_redirects=False)
            try:
                yield response
            finally:
                await response.aclose()

    def _headers(self) -> dict[str, str]:
        headers = {"X-Title": "GenAI Auto"}
        if self.referer:
            headers["HTTP-Referer"] = self.referer
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return headers


@contextmanager
def _translated() -> Iterator[None]:
    """The HTTP library's errors in our words."""
    try:
        yield
    except (httpx2.TimeoutException, TimeoutError):
        raise ModelFailed("timeout", "The model server did not answer in time.", final=False) from None
    except httpx2.SSEError:
        raise ModelFailed("validation_error", f"An event of the stream is larger than {LARGEST_EVENT} bytes.") from None
    except httpx2.TransportError:
        raise ModelFailed("api_error", "The model server cannot be reached.", final=False) from None
    except (httpx2.DecodingError, httpx2.InvalidURL):
        raise ModelFailed("validation_error", "The model server's reply cannot be decoded.") from None


async def _read_to_the_end(events: AsyncGenerator[httpx2.ServerSentEvent, None]) -> None:
    """A connection whose last byte was read serves the next call; one that is not read out must be closed."""
    with suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(LAST_BYTE_SECONDS):
            await anext(events, None)


async def _bounded(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_REPLY:
            raise ModelFailed("validation_error", f"The model server's reply is larger than {LARGEST_REPLY} bytes.")
    return bytes(body)


def _object(body: bytes | str) -> dict[str, Any]:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise ModelFailed("validation_error", "The model server's reply is not JSON.") from None
    if not isinstance(reply, dict):
        raise ModelFailed("validation_error", "The model server's reply is not a JSON object.")
    error = reply.get("error")
    if error:  # OpenRouter reports a failure of the model behind it with status 200, also in the middle of a stream
        code = error.get("code") if isinstance(error, dict) else None
        raise _refusal(code if isinstance(code, int) else httpx2.codes.BAD_GATEWAY, None)
    return reply


def _refusal(status: int, retry_after: str | None) -> ModelFailed:
    if status in WORTH_RETRYING:
        kind: Literal["rate_limit", "api_error"] = (
            "rate_limit" if status == httpx2.codes.TOO_MANY_REQUESTS else "api_error"
        )
        wait = retry_after_seconds(retry_after)
        return ModelFailed(kind, f"The model server answered with status {status}.", final=False, wait=wait)
    if status in OUR_REQUEST:
        return ModelFailed("validation_error", f"The model server refused the request with status {status}.")
    hint = {
        401: "check OPENROUTER_API_KEY",
        402: "the account has no credit",
        403: "the key may not use this model",
        404: "check OPENROUTER_BASE_URL and LLM_MODEL",
    }.get(status, "check LLM_MODEL and OPENROUTER_BASE_URL")
    return ModelFailed("api_error", f"The model server refused the request with status {status}: {hint}.")
