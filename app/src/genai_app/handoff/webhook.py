"""The desk behind HUMAN_SUPPORT_WEBHOOK: one signed POST a handoff (docs/reference/handoff-webhook.md)."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any, Final, get_args

import httpx2

from genai_app.handoff.desk import Letter, NotDelivered, Receipt
from genai_app.handoff.ticket import Status
from genai_app.llm.patience import retry_after_seconds

TOTAL_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 3.0
LARGEST_REPLY: Final = 64 * 1024
LONGEST_TEXT: Final = 200
LONGEST_WAIT_MINUTES: Final = 100_000

_STATUSES: Final[tuple[Status, ...]] = get_args(Status)


class WebhookDesk:
    """Posts to one URL, which is configuration and nothing else: a redirect is a failure, never followed."""

    name = "webhook"
    keeps_payload = False

    def __init__(
        self, http: httpx2.AsyncClient, url: str, secret: str, *, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self._http = http
        self._url = url
        self._secret = secret
        self._total_seconds = total_seconds

    async def deliver(self, letter: Letter) -> Receipt:
        """One attempt. Any 2xx means that the desk has it. Raises NotDelivered."""
        body = json.dumps(letter.payload, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "genai-auto",
            "Idempotency-Key": str(letter.id),
            **signature_headers(self._secret, str(int(time.time())), body),
        }
        try:
            async with asyncio.timeout(self._total_seconds):
                status, asked, reply = await self._post(body, headers)
        except (TimeoutError, httpx2.TimeoutException):
            raise NotDelivered("timeout") from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise NotDelivered("connection") from None
        if httpx2.codes.is_success(status):
            return receipt(reply)
        raise NotDelivered(_kind(status), wait=retry_after_seconds(asked))

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str | None, bytes]:
        """Status, Retry-After, and the body as far as it matters: a desk that talks on and on is not listened to."""
        timeout = httpx2.Timeout(self._total_seconds, connect=min(CONNECT_SECONDS, self._total_seconds))
        async with self._http.stream(
            "POST", self._url, content=body, headers=headers, timeout=timeout, follow_redirects=False
        ) as response:
            reply = bytearray()
            async for piece in response.aiter_bytes():
                reply += piece
                if len(reply) > LARGEST_REPLY:
                    break
            return response.status_code, response.headers.get("Retry-After"), bytes(reply)


def signature_headers(secret: str, timestamp: str, body: bytes) -> dict[str, str]:
    """HMAC-SHA256 of `timestamp.body`; without a secret nothing is signed, and only the time is said."""
    headers = {"X-GenAI-Timestamp": timestamp}
    if secret:
        digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers["X-GenAI-Signature"] = f"sha256={digest}"
    return headers


def receipt(reply: bytes) -> Receipt:
    """What the desk's JSON says; what is missing or of another type is left out, for the ticket is delivered anyway."""
    try:
        said = json.loads(reply)
    except (ValueError, RecursionError):
        return Receipt()
    if not isinstance(said, dict):
        return Receipt()
    return Receipt(
        status=next((status for status in _STATUSES if status == said.get("status")), "queued"),
        estimated_wait_minutes=_minutes(said.get("estimated_wait_time")),
        ticket=_text(said.get("escalation_id")),
        agent=_text(said.get("agent_name")),
    )


def _kind(status: int) -> str:
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        return "rate_limited"
    if httpx2.codes.is_redirect(status):
        return "redirected"
    return "server_error" if httpx2.codes.is_server_error(status) else "refused"


def _minutes(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_WAIT_MINUTES:
        return None
    return round(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).replace("\0", "").encode(errors="replace").decode()[:LONGEST_TEXT] or None
