"""`/api/v1/chat`: REST over the turn and over the stored conversations."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from genai_app.auth.dependencies import CurrentUser, Identified
from genai_app.chat.events import Complete
from genai_app.chat.schemas import ChatRequest, ChatResponse, MessageOut, SessionOut
from genai_app.chat.service import Conversations
from genai_app.chat.turn import Turns
from genai_app.fields import SessionName
from genai_app.paging import Page, PageSize
from genai_contract.endpoints import CHAT_PATH

router = APIRouter(prefix=CHAT_PATH, tags=["chat"])


def turns(request: Request) -> Turns:
    """The application's turns."""
    return cast("Turns", request.app.state.turns)


def conversations(request: Request) -> Conversations:
    """The application's stored conversations."""
    return cast("Conversations", request.app.state.conversations)


ConversationsDependency = Annotated[Conversations, Depends(conversations)]
SessionPath = Annotated[SessionName, Path()]
Cursor = Annotated[str | None, Query(max_length=512)]


@router.post("")
async def chat(
    body: ChatRequest, who: Identified, turns: Annotated[Turns, Depends(turns)], response: Response
) -> ChatResponse:
    """Ask something. The answer is stored before you get it."""
    turn = await turns.begin(who, body.ask())
    response.headers.update(turn.admission.headers)
    last = None
    async for event in turns.events(turn):
        last = event
    return ChatResponse.of(cast("Complete", last))


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
