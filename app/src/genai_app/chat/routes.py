"""`/api/v1/chat`: REST over the turn and over the stored conversations."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from genai_app.auth.dependencies import CurrentUser, TokenClaims
from genai_app.chat.events import Event
from genai_app.chat.folding import last, running, while_connected
from genai_app.chat.frames import encode, error_frame, frame_of
from genai_app.chat.schemas import ChatRequest, ChatResponse, MessageOut, SessionOut
from genai_app.chat.service import Conversations
from genai_app.chat.turn import Turns
from genai_app.fields import SessionName
from genai_app.http.problems import document_of, log_unexpected, request_id_of
from genai_app.paging import Page, PageSize
from genai_contract.endpoints import CHAT_PATH

router = APIRouter(prefix=CHAT_PATH, tags=["chat"])


async def turns(request: Request) -> Turns:
    """The application's turns."""
    return cast("Turns", request.app.state.turns)


async def conversations(request: Request) -> Conversations:
    """The application's stored conversations."""
    return cast("Conversations", request.app.state.conversations)


ConversationsDependency = Annotated[Conversations, Depends(conversations)]
SessionPath = Annotated[SessionName, Path()]
Cursor = Annotated[str | None, Query(max_length=512)]


@router.post("")
async def chat(
    body: ChatRequest, login: TokenClaims, request: Request, turns: Annotated[Turns, Depends(turns)], response: Response
) -> ChatResponse:
    """Ask something. The answer is stored before you get it."""
    async with turns.begun(login, body.ask(watched=False)) as turn:
        response.headers.update(turn.admission.headers)
        if turn.settled is not None:
            return ChatResponse.of(await last(turns.events(turn)))
        return ChatResponse.of(await while_connected(request, last(turns.events(turn))))


async def turn_events(
    body: ChatRequest, login: TokenClaims, turns: Annotated[Turns, Depends(turns)], response: Response
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a turn that has begun: what refuses it is a reply of its own, before the stream."""
    async with turns.begun(login, body.ask(watched=True)) as turn, running(turns.events(turn)) as events:
        response.headers.update(turn.admission.headers)
        yield events


@router.post("/stream", response_class=EventSourceResponse)
async def stream(
    request: Request, events: Annotated[AsyncIterator[Event], Depends(turn_events)]
) -> AsyncIterator[ServerSentEvent]:
    """The same turn as server-sent events: `event:` is the type of the frame, `data:` the frame as on the WebSocket.

    Ends with `complete` or `error`. Leaving stops the turn.
    """
    try:
        async for event in events:
            yield sent(frame_of(event))
    except Exception as error:  # noqa: BLE001 - the status line is out: the stream has to say it
        log_unexpected(error)
        yield sent(error_frame(document_of(error, request_id_of(request.scope))))


@router.get("/sessions")
async def sessions(
    who: CurrentUser, stored: ConversationsDependency, limit: Annotated[PageSize, Query()] = 50, cursor: Cursor = None
) -> Page[SessionOut]:
    """Your conversations, the last used first."""
    page = await stored.sessions(who, limit=limit, cursor=cursor)
    return Page(items=[SessionOut.model_validate(item) for item in page.items], next_cursor=page.next_cursor)


@router.get("/history/{session_id}")
async def history(
    session_id: SessionPath,
    who: CurrentUser,
    stored: ConversationsDependency,
    limit: Annotated[PageSize, Query()] = 50,
    cursor: Cursor = None,
) -> Page[MessageOut]:
    """The messages of a conversation: the newest page first, the oldest message first within a page."""
    page = await stored.history(who, session_id, limit=limit, cursor=cursor)
    return Page(items=[MessageOut.model_validate(item) for item in page.items], next_cursor=page.next_cursor)


@router.delete("/history/{session_id}", status_code=204)
async def delete(session_id: SessionPath, who: CurrentUser, stored: ConversationsDependency) -> None:
    """Delete a conversation and its messages."""
    await stored.delete(who, session_id)


def sent(frame: dict[str, Any]) -> ServerSentEvent:
    """A frame as a server-sent event."""
    return ServerSentEvent(event=frame["type"], raw_data=encode(frame))
