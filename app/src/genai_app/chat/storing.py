"""Stores a turn: question, answer and what belongs to them in one transaction, before anybody is told."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg

from genai_app import db
from genai_app.agents.conversation import Answer
from genai_app.auth.tokens import Claims
from genai_app.chat import opening, turn_repository
from genai_app.chat.ask import Ask, Turn
from genai_app.chat.events import Complete
from genai_app.chat.stored_answers import details, usage
from genai_app.chat.turn_repository import AnsweredAlready, Exchange
from genai_app.errors import Conflict

Result = TypeVar("Result")


async def store(pool: asyncpg.Pool, turn: Turn, answer: Answer, *, cached: bool) -> Complete:
    """The event of the stored answer. A message that another turn has answered meanwhile gets that answer.

    Raises Conflict, DatabaseDown; nothing is stored then.
    """
    exchange = exchange_of(turn, answer, cached=cached)
    try:
        async with db.connection(pool) as connection:
            message_id = await turn_repository.add_exchange(connection, turn.user_id, exchange)
    except AnsweredAlready:
        earlier = (await opening.open_conversation(pool, turn.user_id, turn.ask)).earlier
        if earlier is None:
            raise Conflict("The session was deleted while this message was answered.") from None
        return earlier
    if turn.hold is not None:
        turn.hold.over = True
    return Complete(
        answer, turn.session_id, cast("UUID", message_id), cached, None, usage(answer, cached=cached)
    )  # without `login` it is always stored


async def store_kept(pool: asyncpg.Pool, login: Claims, session_id: str, ask: Ask, answer: Answer) -> Complete | None:
    """Store a kept answer to the first message of a conversation, if the login stands: one statement does it all.

    None when the conversation is not new or the login has ended: the turn then goes the long way. Raises DatabaseDown.
    """
    exchange = Exchange(
        session_id=session_id,
        customer_id=None,
        metadata=ask.metadata,
        question=ask.message,
        answer=answer,
        client_message_id=ask.client_message_id,
        details=details(answer, cached=True, handoff=None),
        login=login.session_id,
    )
    try:
        async with db.connection(pool) as connection:
            message_id = await turn_repository.add_exchange(connection, login.user_id, exchange)
    except (AnsweredAlready, Conflict):
        return None
    return None if message_id is None else Complete(answer, session_id, message_id, cached=True)


def exchange_of(turn: Turn, answer: Answer, *, cached: bool) -> Exchange:
    """What is stored of a turn; pure."""
    metadata = dict(turn.ask.metadata)
    if turn.ask.vehicle_id is not None:
        metadata["vehicle_id"] = str(turn.ask.vehicle_id)
    return Exchange(
        session_id=turn.session_id,
        customer_id=turn.customer.customer_id if turn.customer else None,
        metadata=metadata,
        question=turn.ask.message,
        answer=answer,
        client_message_id=turn.ask.client_message_id,
        holder=turn.hold.holder if turn.hold else None,
        details=details(answer, cached=cached, handoff=None),
    )


async def to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which a cancellation cannot stop any more.

    Whoever cancels while a turn is being stored is too late: the turn goes on, and says so by completing.
    """
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
        except Exception:  # noqa: BLE001 - it is raised below, from the task itself
            break
    return task.result()
