"""What customers think of the answers: one opinion for each message and person, which they may change."""

from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from pydantic import BaseModel, StringConstraints

from genai_app import db
from genai_app.auth.identity import Identity
from genai_app.chat import repository
from genai_app.errors import NotFound
from genai_app.fields import Storable
from genai_app.metrics import Metrics
from genai_contract.metrics import USER_FEEDBACK

Sentiment = Literal["positive", "negative"]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), Storable]


class Feedback(BaseModel):
    """An opinion about the answer `message_id`."""

    message_id: UUID
    sentiment: Sentiment
    comment: Comment | None = None


class Opinions:
    """Stores opinions; one per process."""

    def __init__(self, pool: asyncpg.Pool, metrics: Metrics) -> None:
        self._pool = pool
        self._metrics = metrics

    async def give(self, who: Identity, feedback: Feedback) -> None:
        """Store it, in place of an earlier one. Raises NotFound unless it is about an answer to the caller."""
        async with db.connection(self._pool) as connection:
            before = await repository.put_feedback(
                connection, who, feedback.message_id, feedback.sentiment, feedback.comment
            )
        if before is None:
            raise NotFound("There is no such answer.")
        if before != feedback.sentiment:
            self._metrics.count(USER_FEEDBACK, sentiment=feedback.sentiment)
