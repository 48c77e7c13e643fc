"""`/ws/{session_id}`: the WebSocket over the turn. It reads all the time, so that `cancel` and leaving stop a turn.

One turn at a time: a message that comes while one is running is refused (409). Whatever a frame holds, the connection
lives on and says so in an `error` frame; only a missing login (4401), a frame over 64 KiB (1009), a client that does
not read (`patience.py`) and the end of the process (1012) close it. Any replica serves any session.
"""

import asyncio
import uuid
from collections.abc import Awaitable
from contextlib import suppress
from typing import Annotated, Final, cast

from fastapi import APIRouter, Path, WebSocket, WebSocketDisconnect
from fastapi.websockets import WebSocketState
from pydantic import TypeAdapter, ValidationError

from genai_app.auth.identity import Identity
from genai_app.chat import frames
from genai_app.chat.frames import AuthFrame, CancelFrame, ClientFrame, FeedbackFrame, Frame, MessageFrame, PingFrame
from genai_app.chat.reading import read_frame
from genai_app.chat.socket_services import SocketServices
from genai_app.chat.socket_turn import run_turn
from genai_app.errors import Cancelled, Conflict, Invalid, NotAuthenticated
from genai_app.fields import SessionName
from genai_app.http.problems import document_of, log_unexpected
from genai_app.ratelimit import PER_USER
from genai_contract.endpoints import WEBSOCKET_ALIAS, WEBSOCKET_PATH

AUTH_SECONDS: Final = 10.0
NOT_AUTHENTICATED, RESTARTING, WRONG_SESSION = 4401, 1012, 1008
SUBPROTOCOL: Final = "bearer"

router = APIRouter()
_SESSION: Final[TypeAdapter[str]] = TypeAdapter(SessionName)


@router.websocket(WEBSOCKET_ALIAS)
async def any_session(socket: WebSocket) -> None:
    """A connection whose messages may each name their session; without, they belong to one that begins with it."""
    await Connection(socket, None).serve()


@router.websocket(WEBSOCKET_PATH)
async def one_session(socket: WebSocket, session_id: Annotated[str, Path()]) -> None:
    """A connection for one session."""
    await Connection(socket, session_id).serve()


class Connection:
    """One client, from its handshake to its end. `session_id` is None when its messages may name one."""

    def __init__(self, socket: WebSocket, session_id: str | None) -> None:
        self._socket = socket
        self._services = cast("SocketServices", socket.app.state)
        self._named = session_id
        self._session_id = session_id or str(uuid.uuid4())
        self._token = ""
        self._user_id: uuid.UUID | None = None
        self._turn: asyncio.Task[None] | None = None
        self._answered = False
        self._closed = asyncio.Event()

    async def serve(self) -> None:
        """Until the client leaves or is sent away."""
        offered = self._socket.scope["subprotocols"]
        await self._socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self._services.connections.add(self)
        try:
            with suppress(WebSocketDisconnect):
                await self._welcome(offered)
                while True:
                    await self._take(await self._receive())
        finally:
            self._services.connections.remove(self)
            await self._stop()
            self._closed.set()

    async def drain(self) -> None:
        """Finish the running turn, then close; gives back when it is closed."""
        if self._turn is not None:
            await asyncio.wait([self._turn])
        with suppress(WebSocketDisconnect):
            await self._close(RESTARTING)
        await self._closed.wait()

    async def _welcome(self, offered: list[str]) -> None:
        """Check the session's name and the login, and that the process is not ending; closes when something is."""
        if self._services.connections.draining:
            await self._close(RESTARTING)
        try:
            _SESSION.validate_python(self._session_id)
        except ValidationError:
            wrong = Invalid("A session's name has up to 128 letters, digits and the signs . _ : -", field="/session_id")
            await self._fail(wrong)
            await self._close(WRONG_SESSION)
        try:
            async with asyncio.timeout(AUTH_SECONDS):
                token = offered[1] if offered[:1] == [SUBPROTOCOL] and len(offered) > 1 else await self._first_token()
        except TimeoutError:
            await self._turn_away(NotAuthenticated(f"No `auth` frame came within {AUTH_SECONDS:g} seconds."))
        else:
            await self._authenticate(token)

    async def _first_token(self) -> str:
        """Of the first `auth` frame; what comes before it is answered with an error."""
        while True:
            frame = await self._parsed(await self._receive())
            match frame:
                case AuthFrame():
                    return frame.token
                case PingFrame():
                    await self._send_text(frames.PONG)
                case _ if frame is not None:
                    await self._fail(NotAuthenticated("Send an `auth` frame with your access token first."))

    async def _authenticate(self, token: str) -> None:
        """Say who it is; closes when the token is not valid, or is somebody else's than before."""
        try:
            who = await self._identified(token)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody stays who is not known
            await self._turn_away(error)
        else:
            self._user_id, self._token = who.user_id, token
            await self._send(frames.auth_success(who))

    async def _identified(self, token: str) -> Identity:
        """Who sends this token, counted. Raises NotAuthenticated, also for another account than before, TooMany."""
        login = self._services.accounts.claims(token)
        if self._user_id not in {None, login.user_id}:
            raise NotAuthenticated("A connection belongs to one account: open another one.")
        await self._services.gate.admit(PER_USER, str(login.user_id), session=login.session_id)
        return await self._services.accounts.identity(login)

    async def _take(self, text: str | None) -> None:
        """Do what a frame says."""
        frame = await self._parsed(text)
        match frame:
            case PingFrame():
                await self._send_text(frames.PONG)
            case AuthFrame():
                await self._authenticate(frame.token)
            case CancelFrame():
                if not self._answered and await self._stop():
                    await self._fail(Cancelled("The turn was cancelled: nothing of it is stored."))
            case FeedbackFrame():
                await self._told(self._feedback(frame))
            case MessageFrame():
                await self._told(self._begin(frame))

    async def _feedback(self, frame: FeedbackFrame) -> None:
        await self._services.opinions.give(await self._identified(self._token), frame)

    async def _begin(self, frame: MessageFrame) -> None:
        if self._turn is not None and not self._turn.done():
            if not self._answered:
                raise Conflict("A message is being answered: wait for its `complete`, or send `cancel`.")
            await asyncio.wait([self._turn])  # it only tidies up
        if self._named is not None and frame.session_id not in {None, self._named}:
            raise Invalid("session_id differs from the one in the path: leave it out", field="/session_id")
        ask = frame.ask(frame.session_id or self._session_id)
        self._answered = False
        self._turn = asyncio.create_task(run_turn(self._services, self._token, ask, self._send_of_turn))

    async def _stop(self) -> bool:
        """Stop the running turn; whether there was one that could still be stopped."""
        if self._turn is None or self._turn.done():
            return False
        self._turn.cancel()
        await asyncio.wait([self._turn])
        return self._turn.cancelled()

    async def _told(self, doing: Awaitable[None]) -> None:
        """Do something, and tell the client when it fails."""
        try:
            await doing
        except WebSocketDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - the connection outlives whatever it is
            await self._fail(error)

    async def _parsed(self, text: str | None) -> ClientFrame | None:
        """The frame; None, and the client is told, when it is none."""
        read = read_frame(text)
        if not isinstance(read, dict):
            return read
        await self._send(frames.error_frame(read))
        return None

    async def _fail(self, error: Exception) -> None:
        log_unexpected(error)
        await self._send(frames.error_frame(document_of(error, str(uuid.uuid4()))))

    async def _turn_away(self, error: Exception) -> None:
        log_unexpected(error)
        await self._send(frames.auth_error(document_of(error, str(uuid.uuid4()))))
        await self._close(NOT_AUTHENTICATED)

    async def _receive(self) -> str | None:
        """The text of the next frame; None for a binary one. Raises WebSocketDisconnect."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text: str | None = message.get("text")
        return text

    async def _send_of_turn(self, frame: Frame) -> None:
        self._answered = frame["type"] in {"complete", "error"}
        await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        await self._send_text(frames.encode(frame))

    async def _send_text(self, text: str) -> None:
        """Raises WebSocketDisconnect when the client is gone or was sent away."""
        if self._socket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect
        await self._socket.send({"type": "websocket.send", "text": text})

    async def _close(self, code: int) -> None:
        """Send the client away; what waits for its next frame then ends."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(code)
