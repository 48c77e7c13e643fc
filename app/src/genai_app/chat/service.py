"""What somebody may do with their stored conversations: list, read, delete."""

from datetime import datetime

import asyncpg

from genai_app import db
from genai_app.auth.identity import Identity
from genai_app.chat import repository
from genai_app.chat.repository import Session, StoredMessage
from genai_app.errors import Invalid, NotFound
from genai_app.paging import Page, decode_cursor, encode_cursor

NO_SESSION = "There is no such session."


class Conversations:
    """The caller's own conversations; those of others do not exist for them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def sessions(self, who: Identity, *, limit: int, cursor: str | None) -> Page[Session]:
        """The last used first. Raises Invalid for a strange cursor."""
        before = _moment(cursor) if cursor else None
        async with db.connection(self._pool) as connection:
            found = await repository.list_sessions(connection, who, limit + 1, before)
        last = found[limit - 1] if len(found) > limit else None
        return Page(
            items=found[:limit],
            next_cursor=encode_cursor(last.updated_at.isoformat(), last.session_id) if last else None,
        )

    async def history(self, who: Identity, session_id: str, *, limit: int, cursor: str | None) -> Page[StoredMessage]:
        """The newest page first; within a page the oldest message first. Raises NotFound, Invalid."""
        before = int(decode_cursor(cursor, int)[0]) if cursor else None
        if before is not None and not 0 <= before < 2**63:
            raise Invalid("cursor must be a `next_cursor` of an earlier reply", field="/cursor")
        async with db.connection(self._pool) as connection:
            own = await repository.find_conversation(connection, session_id, who)
            if own is None:
                raise NotFound(NO_SESSION)
            found = await repository.page_of_messages(connection, own, limit + 1, before)
        page = found[-limit:]
        return Page(items=page, next_cursor=encode_cursor(page[0].position) if len(found) > limit else None)

    async def delete(self, who: Identity, session_id: str) -> None:
        """Delete a conversation and its messages. Raises NotFound."""
        async with db.connection(self._pool) as connection:
            if not await repository.delete_conversation(connection, session_id, who):
                raise NotFound(NO_SESSION)


def _moment(cursor: str) -> tuple[datetime, str]:
    time, name = decode_cursor(cursor, str, str)
    try:
        moment = datetime.fromisoformat(str(time))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "\x00" in str(name):
        raise Invalid("cursor must be a `next_cursor` of an earlier reply", field="/cursor")
    return moment, str(name)
