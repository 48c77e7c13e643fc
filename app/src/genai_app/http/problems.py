"""RFC 9457 problem details: every error of the tree, and those of the framework, as one shape of reply.

`{type, title, status, detail, request_id}` and, for 422, `errors: [{pointer, detail, code}]`.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from genai_app.errors import Invalid, NotAuthenticated, Refused, TooMany, Unavailable
from genai_app.logs import get_logger

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_OF_STATUS = {
    400: ("malformed-request", "The request cannot be read", "The body is not well-formed JSON in UTF-8."),
    404: ("not-found", "There is nothing here", "No resource has this path."),
    405: ("method-not-allowed", "The method is not allowed", "Use one of the methods in the Allow header."),
    413: ("too-large", "The request is too large", "Send a smaller body."),
    415: ("unsupported-media-type", "The content type is not supported", "Send Content-Type: application/json."),
    422: ("invalid-request", "The request does not pass validation", "`errors` says what is wrong, and where."),
    500: ("internal", "Something went wrong on our side", "Try again; if it stays, report the request_id."),
}


class ProblemResponse(JSONResponse):
    """A reply of type application/problem+json."""

    media_type = MEDIA_TYPE


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    request_id: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """One problem; `code` becomes the type's URN, `extra` its own members."""
    body = document(status, code, title, detail, request_id=request_id, errors=errors, extra=extra)
    return ProblemResponse(body, status_code=status, headers=dict(headers or {}))


def document(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    request_id: str,
    errors: list[dict[str, str]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The same as a value, for frames of a stream: they have no status line and no headers."""
    body: dict[str, Any] = {
        "type": f"urn:genai-auto:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": request_id,
        **(extra or {}),
    }
    if errors is not None:
        body["errors"] = errors
    return body


def document_of(error: Exception, request_id: str) -> dict[str, Any]:
    """The problem of any error, as a value; what is not of the error tree is a 500 that tells nothing.

    `retry_after` (seconds) is a member where a reply has the header.
    """
    if not isinstance(error, Refused | Unavailable):
        code, title, detail = _OF_STATUS[500]
        return document(500, code, title, detail, request_id=request_id)
    retry = {"retry_after": error.retry_after} if isinstance(error, TooMany | Unavailable) else None
    errors = [{"pointer": error.field, "detail": str(error), "code": "invalid"}] if isinstance(error, Invalid) else None
    return document(
        error.status, error.code, error.title, str(error), request_id=request_id, errors=errors, extra=retry
    )


def log_unexpected(error: Exception) -> None:
    """A line with the stack for an error that is not of the tree: the client is told nothing about it."""
    if not isinstance(error, Refused | Unavailable):
        log.error("unhandled error", exc_info=error)


def document_of_status(status: int, request_id: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The problem that a status stands for, as a value."""
    code, title, detail = _OF_STATUS[status]
    return document(status, code, title, detail, request_id=request_id, errors=errors)


def of_status(status: int, request_id: str, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """The problem that a status stands for when there is nothing more to say."""
    code, title, detail = _OF_STATUS.get(status, ("refused", "The request cannot be answered", "See the status code."))
    return problem(status, code, title, detail, request_id=request_id, headers=headers)


async def refused(request: Request, error: Exception) -> ProblemResponse:
    """Handler of `Refused` and `Unavailable`."""
    if isinstance(error, Unavailable):
        headers = {"Retry-After": str(error.retry_after)}
        return _of_error(request, error.status, error.code, error.title, error, headers)
    if not isinstance(error, Refused):
        raise error
    headers = {}
    if isinstance(error, TooMany):
        headers = {**error.headers, "Retry-After": str(error.retry_after)}
    if isinstance(error, NotAuthenticated):
        headers = {"WWW-Authenticate": "Bearer"}
    errors = None
    if isinstance(error, Invalid):
        errors = [{"pointer": error.field, "detail": str(error), "code": "invalid"}]
    return _of_error(request, error.status, error.code, error.title, error, headers, errors)


async def http_error(request: Request, error: Exception) -> ProblemResponse:
    """Handler of the framework's own refusals: unknown path, wrong method, body too large."""
    if not isinstance(error, HTTPException):
        raise error
    return of_status(error.status_code, request_id_of(request.scope), error.headers)


def invalid_request(request: Request, found: Iterable[Mapping[str, Any]]) -> ProblemResponse:
    """The problem for pydantic's `found` errors: 400 when it is no JSON, 415 when it does not say so, else 422."""
    found = list(found)
    if any(error["type"] == "json_invalid" for error in found):
        return of_status(400, request_id_of(request.scope))
    in_body = any(error["loc"][0] == "body" for error in found)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if in_body and not (media_type == "application/json" or media_type.endswith("+json")):
        return of_status(415, request_id_of(request.scope))
    code, title, detail = _OF_STATUS[422]
    return problem(422, code, title, detail, request_id=request_id_of(request.scope), errors=error_list(found))


def error_list(found: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The `errors[]` of pydantic's errors; the first part of each place (`body`, a frame's type) is left out."""
    return [
        {"pointer": _pointer(error["loc"]), "detail": error["msg"].removeprefix("Value error, "), "code": error["type"]}
        for error in islice(found, 50)
    ]


def request_id_of(scope: Mapping[str, Any]) -> str:
    """The id that the edge gave to this request."""
    request_id: str = scope["state"]["request_id"]
    return request_id


def _of_error(
    request: Request,
    status: int,
    code: str,
    title: str,
    error: Exception,
    headers: dict[str, str],
    errors: list[dict[str, str]] | None = None,
) -> ProblemResponse:
    return problem(
        status, code, title, str(error), request_id=request_id_of(request.scope), errors=errors, headers=headers
    )


def _pointer(location: Iterable[str | int]) -> str:
    """A JSON pointer into the body, or `/name` of a parameter; the caller's own field names are kept encodable."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in list(location)[1:]]
    return "".join(f"/{part}" for part in parts).encode(errors="replace").decode()
