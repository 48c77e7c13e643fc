"""The last net under a request, as plain ASGI: what nobody caught becomes a log line with its stack, and a problem.

It hangs below the middleware that adds headers, so that even this reply has them: a page of another origin can read it.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genai_app.http.problems import of_status, request_id_of
from genai_app.logs import get_logger

log = get_logger(__name__)


class LastNet:
    """Wraps `app`. Once half a reply is out, the error goes on: the server must cut the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            log.exception("unhandled error", method=scope["method"])
            if begun:
                raise
            await of_status(500, request_id_of(scope))(scope, receive, send)
