"""A turn: the one way from a message to a stored answer. Every transport is a thin layer over this.

begun:  login, limit and cache (one trip to Redis) → known answer: stored at once, in one statement
        → who asks → for which customer → hold the message → whose session, what was said
events: a similar question's answer, or within the budget the agents' → store question and answer → Complete;
        afterwards: keep the answer, count
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg

from genai_app.admission import Gate
from genai_app.agents.answering import Agents
from genai_app.agents.conversation import Answer, Question, Step
from genai_app.auth.service import Accounts
from genai_app.auth.tokens import Claims
from genai_app.budget import Budget, Models
from genai_app.chat.ask import Ask, Turn
from genai_app.chat.behalf import behalf
from genai_app.chat.events import Complete, Event, Progress, Token
from genai_app.chat.finishing import to_its_end
from genai_app.chat.handing_over import answer_on_words, handoff_of, reason_of
from genai_app.chat.holding import Hold, Holding
from genai_app.chat.kept_answers import KeptAnswers, Place, decode
from genai_app.chat.opening import open_conversation
from genai_app.chat.outcomes import Outcomes
from genai_app.chat.storing import Storing
from genai_app.chat.traced import traced
from genai_app.handoff.policy import decide_on_words
from genai_app.ratelimit import PER_USER
from genai_app.tracing import Tracing

__all__ = ["Ask", "Turn", "Turns"]


class Turns:
    """Runs turns; one per process. Below `threshold` an answer's confidence calls for a person."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        accounts: Accounts,
        agents: Agents,
        gate: Gate,
        kept: KeptAnswers,
        budget: Budget,
        storing: Storing,
        outcomes: Outcomes,
        tracing: Tracing,
        threshold: float,
    ) -> None:
        self._pool = pool
        self._accounts = accounts
        self._agents = agents
        self._gate = gate
        self._kept = kept
        self._budget = budget
        self._storing = storing
        self._tracing = tracing
        self._threshold = threshold
        self._outcomes = outcomes
        self._holding = Holding(pool)

    @asynccontextmanager
    async def begun(self, login: Claims, ask: Ask) -> AsyncIterator[Turn]:
        """Everything that can refuse a turn; it may run within the block.

        Raises NotAuthenticated, TooMany, NotFound, Conflict, DatabaseDown.
        """
        reason = decide_on_words(ask.message)
        place = None if reason else await self._place(ask)
        key = place.key if place else None
        admission = await self._gate.admit(PER_USER, str(login.user_id), session=login.session_id, cache_key=key)
        turn = Turn(login.user_id, ask, ask.session_id or str(uuid4()), admission, reason=reason)
        settled = await self._known(login, turn)
        if settled is not None:
            yield replace(turn, settled=settled)
            return
        who = await self._accounts.identity(login)
        customer = await behalf(self._pool, who, ask)
        async with self._held(turn) as hold:
            conversation = await open_conversation(self._pool, who.user_id, ask)
            yield replace(
                turn,
                customer=customer,
                history=conversation.history,
                confidences=conversation.confidences,
                state=conversation.state,
                place=None if conversation.history else place,
                hold=hold,
                settled=conversation.earlier,
            )

    def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """What happens, as it happens; close the iterator (`aclosing`) to stop the turn.

        Raises DatabaseDown or Conflict; BudgetSpent or TooMany when there is no money for a new answer. Of a turn that
        fails or is stopped nothing is stored; once it is being stored, it can no longer be stopped.
        """
        running = self._events(turn)
        return traced(self._tracing, turn, running) if self._tracing.on else running

    async def _events(self, turn: Turn) -> AsyncGenerator[Event]:
        with self._outcomes.of(turn) as outcome:
            yield Progress("starting")
            if turn.settled is not None:
                yield outcome.reached(turn.settled)
                return
            similar = await self._kept.similar(turn.ask.message, turn.place) if turn.place else None
            if similar is not None:
                yield outcome.reached(await to_its_end(self._storing.answer(turn, similar, cached=True)))
                return
            async with aclosing(self._answering(turn)) as answering:
                async for event in answering:
                    if isinstance(event, Answer):
                        answer = event
                    else:
                        yield event
            reason = reason_of(turn, answer, self._threshold)
            handoff = handoff_of(turn, answer, reason) if reason else None
            yield outcome.reached(await to_its_end(self._storing.answer(turn, answer, handoff=handoff)))
            if turn.place and handoff is None:
                await self._kept.keep(turn.ask.message, turn.place, answer)

    async def _answering(self, turn: Turn) -> AsyncGenerator[Progress | Token | Answer]:
        """The agents' work, within the budget; or what is said when the words alone call for a person."""
        if turn.reason is not None:
            yield answer_on_words(turn.reason, turn.ask.message)
            return
        async with (
            self._budget.spending(turn.user_id, length(turn)) as spending,
            aclosing(self._agents.events(question(turn, spending.models))) as working,
        ):
            async for event in working:
                match event:
                    case Step():
                        yield Progress(event.name)
                    case Answer():
                        spending.usd = event.cost_usd
                        yield event
                    case _:
                        yield Token(event.text)

    async def _place(self, ask: Ask) -> Place | None:
        """Where the answer may be kept: nowhere when the question is on somebody's behalf."""
        return None if ask.customer_id or ask.vehicle_id else await self._kept.place(ask.message)

    async def _known(self, login: Claims, turn: Turn) -> Complete | None:
        """The stored outcome when an equal question was answered before and the conversation is new."""
        kept = decode(turn.admission.cached) if turn.admission.cached else None
        if kept is None:
            return None
        return await to_its_end(self._storing.known(login, turn.session_id, turn.ask, kept))

    @asynccontextmanager
    async def _held(self, turn: Turn) -> AsyncIterator[Hold | None]:
        ask = turn.ask
        if ask.session_id is None or ask.client_message_id is None:
            yield None
            return
        async with self._holding.held(turn.user_id, ask.session_id, ask.client_message_id) as hold:
            yield hold


def question(turn: Turn, models: Models) -> Question:
    """What the agents are asked; pure."""
    return Question(turn.ask.message, turn.history, turn.customer, turn.state, models=models, watched=turn.ask.watched)


def length(turn: Turn) -> int:
    """Characters of the message and of what was said before; pure."""
    return len(turn.ask.message) + sum(len(message.content) for message in turn.history)
