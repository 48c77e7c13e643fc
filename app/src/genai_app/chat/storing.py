"""Stores a turn: question, answer and ticket in one statement, before anybody is told."""

from typing import cast

import asyncpg

from genai_app import db
from genai_app.agents.conversation import Answer
from genai_app.auth.tokens import Claims
from genai_app.chat.ask import Ask, Turn
from genai_app.chat.events import Complete
from genai_app.chat.opening import open_conversation
from genai_app.chat.stored_answers import details, shown, usage
from genai_app.chat.turn_repository import AnsweredAlready, Exchange, Stored, add_exchange
from genai_app.errors import Conflict
from genai_app.handoff.service import Handoffs
from genai_app.handoff.ticket import Handoff


class Storing:
    """One per process."""

    def __init__(self, pool: asyncpg.Pool, handoffs: Handoffs) -> None:
        self._pool = pool
        self._handoffs = handoffs

    async def answer(
        self, turn: Turn, answer: Answer, *, cached: bool = False, handoff: Handoff | None = None
    ) -> Complete:
        """The event of the answer, stored. A message that another turn has answered meanwhile gets that answer.

        Raises Conflict, DatabaseDown; nothing is stored then.
        """
        try:
            async with db.connection(self._pool) as connection:
                stored = await add_exchange(
                    connection,
                    turn.user_id,
                    exchange_of(turn, answer, cached=cached),
                    self._handoffs.opening(handoff) if handoff else None,
                )
        except AnsweredAlready:
            earlier = (await open_conversation(self._pool, turn.user_id, turn.ask)).earlier
            if earlier is None:
                raise Conflict("The session was deleted while this message was answered.") from None
            return earlier
        if turn.hold is not None:
            turn.hold.over = True
        if handoff is not None:
            self._handoffs.committed(handoff)
        message_id, ticket = cast("Stored", stored).message_id, cast("Stored", stored).ticket
        return Complete(answer, turn.session_id, message_id, cached, shown(ticket), usage(answer, cached=cached))

    async def known(self, login: Claims, session_id: str, ask: Ask, answer: Answer) -> Complete | None:
        """Store a known answer to the first message of a conversation, if the login stands: one statement does it all.

        None when the conversation is not new or the login has ended: the turn then goes the long way. Raises
        DatabaseDown.
        """
        exchange = Exchange(
            session_id=session_id,
            customer_id=None,
            metadata=ask.metadata,
            question=ask.message,
            answer=answer,
            client_message_id=ask.client_message_id,
            details=details(answer, cached=True),
            login=login.session_id,
        )
        try:
            async with db.connection(self._pool) as connection:
                stored = await add_exchange(connection, login.user_id, exchange)
        except (AnsweredAlready, Conflict):
            return None
        return None if stored is None else Complete(answer, session_id, stored.message_id, cached=True)


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
        details=details(answer, cached=cached),
    )
