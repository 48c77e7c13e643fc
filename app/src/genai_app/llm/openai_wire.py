"""A thin client of any OpenAI-compatible server over the process's pooled HTTP client.

Every way in which a server can fail ends in ModelDown within the time of a turn; no library's words get out.
"""

import asyncio
import email.utils
import json
import math
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx2
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from genai_app.errors import ModelDown
from genai_app.llm.chat_model import ChatRequest, Completion
from genai_app.metrics import Metrics
from genai_app.settings import Settings
from genai_contract.metrics import LLM_ERRORS, LLM_LATENCY, LLM_TOKENS

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 3.0
ATTEMPTS: Final = 3
LARGEST_REPLY: Final = 8 * 1024 * 1024
"""Bytes, decoded. 100 vectors of 3,072 numbers are 6 MB of JSON; a chat reply is a thousandth of that."""
WORTH_RETRYING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})

_PAUSE = wait_random_exponential(multiplier=0.25, max=4)
_REASONING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_REASONING_END = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)


class ModelFailed(ModelDown):
    """`kind` is the metric's error_type: timeout, connection, rate_limited, server_error, refused, bad_reply.

    `final`: trying again is useless. `wait`: seconds that the server asks to wait before another try, if it does.
    """

    def __init__(self, kind: str, detail: str, *, final: bool = True, wait: float | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.final = final
        self.wait = wait


@dataclass(frozen=True)
class OpenAIServer:
    """Where requests go. `total_seconds` bounds one call with all its retries."""

    http: httpx2.AsyncClient
    base_url: str
    api_key: str
    total_seconds: float

    @classmethod
    def from_settings(cls, settings: Settings, http: httpx2.AsyncClient) -> Self:
        """The server of OPENROUTER_BASE_URL."""
        return cls(
            http=http,
            base_url=settings.openrouter_base_url.rstrip("/"),
            api_key=settings.openrouter_api_key.get_secret_value(),
            total_seconds=settings.llm_timeout_seconds,
        )

    async def post(self, path: str, payload: dict[str, Any], *, model: str) -> dict[str, Any]:
        """The server's JSON object. Raises ModelFailed."""
        deadline = time.monotonic() + self.total_seconds
        attempts = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(lambda error: _worth_another(error, deadline)),
            wait=_pause,
            reraise=True,
        )
        try:
            async with asyncio.timeout(self.total_seconds):
                return await attempts(self._once, path, payload)
        except TimeoutError:
            raise ModelFailed("timeout", f"{model} gave no answer within {self.total_seconds:g} seconds.") from None

    async def _once(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        headers = {"X-Title": "GenAI Auto"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        timeout = httpx2.Timeout(self.total_seconds, connect=min(CONNECT_SECONDS, self.total_seconds))
        try:
            async with self.http.stream(
                "POST", f"{self.base_url}{path}", json=payload, headers=headers, timeout=timeout
            ) as response:
                body = await _bounded(response)
        except httpx2.TimeoutException:
            raise ModelFailed("timeout", "The model server did not answer in time.", final=False) from None
        except httpx2.TransportError:
            raise ModelFailed("connection", "The model server cannot be reached.", final=False) from None
        except (httpx2.DecodingError, httpx2.InvalidURL):
            raise ModelFailed("bad_reply", "The model server's reply cannot be decoded.") from None
        if response.status_code != httpx2.codes.OK:
            raise _refusal(response.status_code, response.headers.get("Retry-After"))
        return _object(body)


class OpenAIModel:
    """The ChatModel of an OpenAI-compatible server."""

    def __init__(self, server: OpenAIServer, *, provider: str, model: str, metrics: Metrics) -> None:
        self.provider = provider
        self.model = model
        self._server = server
        self._metrics = metrics

    async def complete(self, request: ChatRequest) -> Completion:
        """One call of /chat/completions. Raises ModelFailed; counts tokens, time and errors."""
        payload = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
        }
        started = time.perf_counter()
        try:
            completion = parse_completion(
                await self._server.post("/chat/completions", payload, model=self.model), self.model
            )
        except ModelFailed as failure:
            self._metrics.count(LLM_ERRORS, error_type=failure.kind, model=self.model)
            log.warning("model_failed", kind=failure.kind, model=self.model, reason=str(failure))
            raise
        self._metrics.observe(LLM_LATENCY, time.perf_counter() - started, model=self.model, agent=request.agent)
        for kind, tokens in (("input", completion.tokens_in), ("output", completion.tokens_out)):
            self._metrics.count(LLM_TOKENS, tokens, type=kind, model=self.model, agent=request.agent)
        return completion


def parse_completion(reply: dict[str, Any], asked_model: str) -> Completion:
    """The first choice without its reasoning. Raises ModelFailed when there is no text in it."""
    try:
        content = reply["choices"][0]["message"]["content"]
        if isinstance(content, list):
            content = "".join(part["text"] for part in content if part.get("type") == "text")
        text = without_reasoning(content)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ModelFailed("bad_reply", "The model server's reply is not a chat completion.") from None
    if not text:
        raise ModelFailed("bad_reply", "The model's reply holds no text besides its reasoning.")
    usage = reply.get("usage")
    model = reply.get("model")
    return Completion(
        text=text,
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        model=model if isinstance(model, str) and model else asked_model,
    )


def without_reasoning(text: str) -> str:
    """What a model says to the customer: no `<think>` blocks, closed, cut off, or opened before the text began."""
    return _REASONING_END.sub("", _REASONING.sub("", text)).strip()


def retry_after_seconds(value: str | None) -> float | None:
    """A Retry-After header, seconds or a date, as seconds from now; None when there is none that makes sense."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _worth_another(error: BaseException, deadline: float) -> bool:
    """A wait beyond the deadline is not begun: the fallback answers sooner."""
    return isinstance(error, ModelFailed) and not error.final and time.monotonic() + (error.wait or 0) < deadline


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, ModelFailed) else None
    jitter = _PAUSE(state)
    return jitter if asked is None else asked + jitter / 4


async def _bounded(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_REPLY:
            raise ModelFailed("bad_reply", f"The model server's reply is larger than {LARGEST_REPLY} bytes.")
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise ModelFailed("bad_reply", "The model server's reply is not JSON.") from None
    if not isinstance(reply, dict):
        raise ModelFailed("bad_reply", "The model server's reply is not a JSON object.")
    error = reply.get("error")
    if error:  # OpenRouter reports a failure of the model behind it with status 200
        code = error.get("code") if isinstance(error, dict) else None
        raise _refusal(code if isinstance(code, int) else httpx2.codes.BAD_GATEWAY, None)
    return reply


def _refusal(status: int, retry_after: str | None) -> ModelFailed:
    if status in WORTH_RETRYING:
        kind = "rate_limited" if status == httpx2.codes.TOO_MANY_REQUESTS else "server_error"
        wait = retry_after_seconds(retry_after)
        return ModelFailed(kind, f"The model server answered with status {status}.", final=False, wait=wait)
    hint = {
        401: "check OPENROUTER_API_KEY",
        402: "the account has no credit",
        403: "the key may not use this model",
        404: "check OPENROUTER_BASE_URL and LLM_MODEL",
    }.get(status, "check LLM_MODEL and OPENROUTER_BASE_URL")
    return ModelFailed("refused", f"The model server refused the request with status {status}: {hint}.")


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else 0
