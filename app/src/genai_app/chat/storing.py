"""Stores a turn: question, answer and what belongs to them in one transaction, before anybody is told."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from genai_app import db
from genai_app.agents.conversation import Answer
from genai_app.chat import opening, turn_repository
from genai_app.chat.ask import Turn
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
            message_id = await turn_repository.add_exchange(connection, turn.who, exchange)
    except AnsweredAlready:
        earlier = (await opening.open_conversation(pool, turn.who, turn.ask)).earlier
        if earlier is None:
            raise Conflict("The session was deleted while this message was answered.") from None
        return earlier
    if turn.hold is not None:
        turn.hold.over = True
    return completed(turn, answer, message_id, cached=cached)


async def store_if_first(pool: asyncpg.Pool, turn: Turn, answer: Answer) -> Complete | None:
    """The same for a kept answer, provided that the conversation is new: then one statement is all it takes."""
    exchange = exchange_of(turn, answer, cached=True, only_first=True)
    try:
        async with db.connection(pool) as connection:
            message_id = await turn_repository.add_exchange(connection, turn.who, exchange)
    except AnsweredAlready:
        return None
    return None if message_id is None else completed(turn, answer, message_id, cached=True)


def exchange_of(turn: Turn, answer: Answer, *, cached: bool, only_first: bool = False) -> Exchange:
    """What is stored of a turn; pure."""
    metadata = dict(turn.ask.metadata)
    if turn.ask.vehicle_id is not None:
        metadata["vehicle_id"] = str(turn.ask.vehicle_id)
    return Exchange(
        session_id=turn.session_id,
        customer_id=turn.customer.customer_id,
        metadata=metadata,
        question=turn.ask.message,
        answer=answer,
        client_message_id=turn.ask.client_message_id,
        holder=turn.hold.holder if turn.hold else None,
        details=details(answer, cached=cached, handoff=None),
        only_first=only_first,
    )


def completed(turn: Turn, answer: Answer, message_id: UUID | None, *, cached: bool) -> Complete:
    """The event of what has just been stored; pure."""
    if message_id is None:
        raise AssertionError("a turn that may join a conversation is always stored")
    return Complete(answer, turn.session_id, message_id, cached, None, usage(answer, cached=cached))


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
