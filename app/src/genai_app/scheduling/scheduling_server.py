"""Calls of the scheduling system over HTTP: retries, deadline, bounded replies; what they mean is `remote`'s.

Every call may be repeated: reading changes nothing, and what writes carries an Idempotency-Key. So what fails on the
way is tried again within one deadline, and whatever then fails is SchedulerDown.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx2
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

from genai_app.logs import get_logger
from genai_app.scheduling.values import SchedulerDown
from genai_app.settings import Settings

log = get_logger(__name__)

ATTEMPTS: Final = 3
CONNECT_SECONDS: Final = 2.0
LARGEST_REPLY: Final = 1024 * 1024
"""Bytes. A thousand slots are a tenth of it."""
WORTH_RETRYING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_PAUSE: Final = wait_random_exponential(multiplier=0.1, max=1)


class Retryable(SchedulerDown):
    """One attempt failed in a way that another may not; `wait` are the seconds that the system asks for."""

    def __init__(self, detail: str, wait: float = 0) -> None:
        super().__init__(detail)
        self.wait = wait


@dataclass(frozen=True)
class SchedulingServer:
    """Where requests go. `total_seconds` bounds one call with all its attempts."""

    http: httpx2.AsyncClient
    base_url: str
    api_key: str
    total_seconds: float

    @classmethod
    def from_settings(cls, settings: Settings, http: httpx2.AsyncClient) -> Self:
        """The system of SCHEDULER_API_URL."""
        return cls(
            http=http,
            base_url=settings.scheduler_api_url.rstrip("/"),
            api_key=settings.scheduler_api_key.get_secret_value(),
            total_seconds=settings.scheduler_timeout_seconds,
        )

    async def call(
        self, method: str, path: str, *, key: str = "", params: dict[str, Any] | None = None, body: Any = None
    ) -> tuple[int, bytes]:
        """The status (2xx, 404, 409 or 422) and the body. Raises SchedulerDown."""
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(Retryable),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self.total_seconds),
            wait=_wait,
            reraise=True,
        )
        try:
            async with asyncio.timeout(self.total_seconds):
                return await attempts(self._once, method, path, key, params, body)
        except TimeoutError:
            raise SchedulerDown from None

    async def _once(
        self, method: str, path: str, key: str, params: dict[str, Any] | None, body: Any
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        if key:
            headers["Idempotency-Key"] = key
        timeout = httpx2.Timeout(self.total_seconds, connect=min(CONNECT_SECONDS, self.total_seconds))
        try:
            async with self.http.stream(
                method, f"{self.base_url}{path}", params=params, json=body, headers=headers, timeout=timeout,
                follow_redirects=False,
            ) as response:  # fmt: skip
                content = await _bounded(response)
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL):
            raise Retryable("The scheduling system cannot be reached. Try again in a moment.") from None
        if response.status_code in WORTH_RETRYING:
            wait = response.headers.get("Retry-After", "")
            raise Retryable("The scheduling system is busy.", float(wait) if wait.isdecimal() else 0)
        if response.is_success or response.status_code in {404, 409, 422}:
            return response.status_code, content
        log.error("scheduler_refused", status=response.status_code, hint="check SCHEDULER_API_URL and _KEY")
        raise SchedulerDown("The scheduling system refused the request.")


async def _bounded(response: httpx2.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > LARGEST_REPLY:
            raise SchedulerDown("The scheduling system's reply is too large.")
    return bytes(content)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(_PAUSE(state), error.wait if isinstance(error, Retryable) else 0)
