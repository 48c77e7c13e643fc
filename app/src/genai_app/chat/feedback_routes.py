"""`/api/v1/feedback`: what customers think of the answers."""

from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from genai_app.auth.dependencies import CurrentUser
from genai_app.chat.feedback import Feedback, Opinions, Sentiment
from genai_contract.endpoints import FEEDBACK_PATH

router = APIRouter(prefix=FEEDBACK_PATH, tags=["chat"])


class FeedbackStored(BaseModel):
    """The opinion is stored."""

    status: Literal["success"] = "success"
    message: str = "Thank you for your feedback."
    message_id: UUID
    sentiment: Sentiment


async def opinions(request: Request) -> Opinions:
    """The application's opinions."""
    return cast("Opinions", request.app.state.opinions)


@router.post("")
async def give(body: Feedback, who: CurrentUser, opinions: Annotated[Opinions, Depends(opinions)]) -> FeedbackStored:
    """Say whether an answer helped. Saying it again changes it."""
    await opinions.give(who, body)
    return FeedbackStored(message_id=body.message_id, sentiment=body.sentiment)
