"""Which pages of other origins may call the API from a browser: Starlette's middleware, refusing with problems."""

from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from genai_app.http.problems import problem

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS: Final = (
    "Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "X-Request-ID",
)  # fmt: skip
READABLE_HEADERS: Final = (
    "ETag", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID",
    "X-Response-Time",
)  # fmt: skip
PREFLIGHT_SECONDS: Final = 600


class Cors(CORSMiddleware):
    """Allows `origins`, exactly as browsers send them, or every origin for `*`.

    Never with credentials: tokens travel in a header that a page must set itself, so no cookie can be abused.
    """

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=READABLE_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The browser's question before the request: what may be sent, or a problem for people who read it."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return Response(status_code=204, headers={n: v for n, v in response.headers.items() if "content" not in n})
        return problem(
            400,
            "cross-origin-request-refused",
            "A page of this origin may not send this request",
            "CORS_ALLOWED_ORIGINS must name the page's origin; methods and headers are those of the documentation.",
            request_id=structlog.contextvars.get_contextvars()["request_id"],
            headers={"Vary": "Origin"},
        )
