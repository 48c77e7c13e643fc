"""Opens the conversation of a turn: whose it is, what was said last, and the answer if this message has one already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from genai_app import db
from genai_app.agents.conversation import HistoryMessage
from genai_app.chat import turn_repository
from genai_app.chat.ask import Ask
from genai_app.chat.events import Complete
from genai_app.chat.history import MOST_MESSAGES, recent
from genai_app.chat.stored_answers import complete
from genai_app.chat.turn_repository import is_issued
from genai_app.errors import Conflict, NotFound

NO_SESSION = "There is no such session."


@dataclass(frozen=True)
class Conversation:
    """What a turn begins with; everything is empty in a new one.

    `confidences` are those of the last answers, oldest first; `earlier` is this very message's answer, if any.
    """

    history: tuple[HistoryMessage, ...] = ()
    confidences: tuple[float | None, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    earlier: Complete | None = None


async def open_conversation(pool: asyncpg.Pool, user_id: UUID, ask: Ask) -> Conversation:
    """The caller's conversation, in at most one statement.

    Raises NotFound when the name belongs to somebody else, Conflict when `client_message_id` names another message.
    """
    if ask.session_id is None:
        return Conversation()
    async with db.connection(pool) as connection:
        opened = await turn_repository.open_conversation(
            connection, user_id, ask.session_id, MOST_MESSAGES, ask.client_message_id
        )
    if opened.id is None and opened.others and is_issued(ask.session_id):
        raise NotFound(NO_SESSION)
    earlier = None
    if opened.earlier is not None:
        if opened.earlier["question"] != ask.message:
            raise Conflict("This client_message_id was used for another message of the session: choose a new one.")
        earlier = complete(opened.earlier, ask.session_id)
    return Conversation(recent(opened.history), opened.confidences, opened.state, earlier)
