"""A turn: the one way from a message to a stored answer. Every transport is a thin layer over this.

begun:  look-up key → count and look up (one trip to Redis) → whose customer → whose session, what was said
events: answer (known, or the agents') → store question and answer → Complete; afterwards: keep the answer, count
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg

from genai_app.admission import Gate
from genai_app.agents.answering import Agents
from genai_app.agents.conversation import Answer, Question, Step
from genai_app.auth.identity import Identity
from genai_app.cache import Cache, answer_key
from genai_app.chat import kept_answers
from genai_app.chat.ask import Ask, Turn
from genai_app.chat.behalf import behalf
from genai_app.chat.events import Event, Progress, Token
from genai_app.chat.holding import Holding
from genai_app.chat.knowledge_version import KnowledgeVersion
from genai_app.chat.opening import open_conversation
from genai_app.chat.outcomes import Outcomes
from genai_app.chat.storing import store, store_if_first, to_its_end
from genai_app.ratelimit import PER_USER

__all__ = ["Ask", "Turn", "Turns"]


class Turns:
    """Runs turns; one per process. `provider`, `model` and `prompts` name what shapes an answer."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        agents: Agents,
        gate: Gate,
        cache: Cache,
        knowledge: KnowledgeVersion,
        outcomes: Outcomes,
        caching: bool,
        provider: str,
        model: str,
        prompts: str,
    ) -> None:
        self._pool = pool
        self._agents = agents
        self._gate = gate
        self._cache = cache
        self._knowledge = knowledge
        self._outcomes = outcomes
        self._holding = Holding(pool)
        self._caching = caching
        self._provider = provider
        self._model = f"{provider}/{model}"
        self._prompts = prompts

    @asynccontextmanager
    async def begun(self, who: Identity, ask: Ask) -> AsyncIterator[Turn]:
        """Everything that can refuse a turn; it may run within the block. Raises TooMany, NotFound, Conflict, …"""
        key = await self._key(ask)
        admission = await self._gate.admit(PER_USER, str(who.user_id), cache_key=key)
        customer = await behalf(self._pool, who, ask)
        turn = Turn(who, ask, ask.session_id or str(uuid4()), customer, admission, key=key)
        known = await self._known(turn)
        if known is not None:
            yield known
            return
        async with AsyncExitStack() as held:
            hold = None
            if ask.session_id is not None and ask.client_message_id is not None:
                hold = await held.enter_async_context(self._holding.held(who, ask.session_id, ask.client_message_id))
            conversation = await open_conversation(self._pool, who, ask)
            yield replace(
                turn,
                history=conversation.history,
                state=conversation.state,
                key=None if conversation.history else key,
                hold=hold,
                settled=conversation.earlier,
            )

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """What happens, as it happens; close the iterator (`aclosing`) to stop the turn.

        Raises DatabaseDown or Conflict. Of a turn that fails or is stopped nothing is stored; once it is being stored,
        it can no longer be stopped.
        """
        with self._outcomes.of(turn) as outcome:
            yield Progress("starting")
            if turn.settled is not None:
                yield outcome.reached(turn.settled)
                return
            async with aclosing(self._agents.events(question(turn))) as working:
                async for event in working:
                    if isinstance(event, Answer):
                        answer = event
                    else:
                        yield Progress(event.name) if isinstance(event, Step) else Token(event.text)
            yield outcome.reached(await to_its_end(store(self._pool, turn, answer, cached=False)))
            if turn.key and kept_answers.may_be_kept(answer, self._provider):
                await self._cache.put(turn.key, kept_answers.encode(answer))

    async def _key(self, ask: Ask) -> str | None:
        personal = ask.customer_id or ask.vehicle_id or not kept_answers.may_be_looked_up(ask.message)
        if personal or not self._caching:
            return None
        return answer_key(
            ask.message, model=self._model, prompts=self._prompts, knowledge_base=await self._knowledge.current()
        )

    async def _known(self, turn: Turn) -> Turn | None:
        """The turn with its outcome when an equal question was answered before and the conversation is new."""
        kept = kept_answers.decode(turn.admission.cached) if turn.admission.cached else None
        if kept is None:
            return None
        settled = await to_its_end(store_if_first(self._pool, turn, kept))
        return replace(turn, settled=settled) if settled else None


def question(turn: Turn) -> Question:
    """What the agents are asked; pure."""
    return Question(turn.ask.message, turn.history, turn.customer, turn.state)
