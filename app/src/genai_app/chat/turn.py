"""A turn: the one way from a message to a stored answer. Every transport is a thin layer over this.

begin:  count and look up (one trip to Redis) → whose customer, whose vehicle, whose session → history
events: answer (kept or new) → store question and answer → Complete; afterwards: keep the answer
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from genai_app import db
from genai_app.admission import Admission, Gate
from genai_app.agents.answering import Agents
from genai_app.agents.conversation import Answer, HistoryMessage, Question
from genai_app.auth.identity import Identity
from genai_app.cache import Cache, answer_key
from genai_app.chat import kept_answers, repository
from genai_app.chat.events import Complete, Event, Progress
from genai_app.chat.history import MOST_MESSAGES, recent
from genai_app.chat.knowledge_version import KnowledgeVersion
from genai_app.errors import NotFound
from genai_app.ratelimit import PER_USER


@dataclass(frozen=True)
class Ask:
    """What the caller sends; `session_id` is None for a new conversation."""

    message: str
    session_id: str | None = None
    customer_id: UUID | None = None
    vehicle_id: UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """An admitted turn, ready to run. `key` is where its answer may be kept; None: nowhere."""

    who: Identity
    ask: Ask
    session_id: str
    customer_id: UUID | None
    history: tuple[HistoryMessage, ...]
    key: str | None
    admission: Admission


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
        self._caching = caching
        self._provider = provider
        self._model = f"{provider}/{model}"
        self._prompts = prompts

    async def begin(self, who: Identity, ask: Ask) -> Turn:
        """Everything that can refuse a turn. Raises TooMany, NotFound, DatabaseDown."""
        key = await self._key(ask)
        admission = await self._gate.admit(PER_USER, str(who.user_id), cache_key=key)
        customer_id = await self._customer(who, ask)
        history = await self._history(who, ask.session_id) if ask.session_id else ()
        return Turn(
            who=who,
            ask=ask,
            session_id=ask.session_id or str(uuid4()),
            customer_id=customer_id,
            history=history,
            key=None if history else key,
            admission=admission,
        )

    async def events(self, turn: Turn) -> AsyncIterator[Event]:
        """What happens, as it happens. Raises DatabaseDown or ModelDown; nothing of the turn is then stored."""
        yield Progress("starting")
        kept = kept_answers.decode(turn.admission.cached) if turn.key and turn.admission.cached else None
        if kept is None:
            yield Progress("generating")
            answer = await self._agents.answer(Question(turn.ask.message, turn.history))
        else:
            answer = kept
        message_id = await self._store(turn, answer)
        yield Complete(answer, turn.session_id, message_id, cached=kept is not None)
        if turn.key and kept is None and kept_answers.may_be_kept(answer, self._provider):
            await self._cache.put(turn.key, kept_answers.encode(answer))

    async def _key(self, ask: Ask) -> str | None:
        personal = ask.customer_id or ask.vehicle_id or not kept_answers.may_be_looked_up(ask.message)
        if personal or not self._caching:
            return None
        return answer_key(
            ask.message, model=self._model, prompts=self._prompts, knowledge_base=await self._knowledge.current()
        )

    async def _customer(self, who: Identity, ask: Ask) -> UUID | None:
        """On whose behalf: the caller, or for staff whom they name. Anybody else's record does not exist for them."""
        customer_id = ask.customer_id or who.customer_id
        if customer_id != who.customer_id and not who.sees_every_customer:
            raise NotFound("There is no such customer.")
        if customer_id == who.customer_id and ask.vehicle_id is None:
            return customer_id
        async with db.connection(self._pool) as connection:
            if ask.customer_id is not None and not await repository.customer_exists(connection, ask.customer_id):
                raise NotFound("There is no such customer.")
            if ask.vehicle_id is not None:
                owner = await repository.owner_of_vehicle(connection, ask.vehicle_id)
                if owner is None or owner != customer_id:
                    raise NotFound("There is no such vehicle.")
        return customer_id

    async def _history(self, who: Identity, session_id: str) -> tuple[HistoryMessage, ...]:
        async with db.connection(self._pool) as connection:
            own, others = await repository.find_conversation(connection, session_id, who)
            if own is None:
                if others and _is_issued(session_id):
                    raise NotFound("There is no such session.")
                return ()
            return recent(await repository.last_messages(connection, own, MOST_MESSAGES))

    async def _store(self, turn: Turn, answer: Answer) -> UUID:
        metadata = dict(turn.ask.metadata)
        if turn.ask.vehicle_id is not None:
            metadata["vehicle_id"] = str(turn.ask.vehicle_id)
        exchange = repository.Exchange(turn.session_id, turn.customer_id, metadata, turn.ask.message, answer)
        async with db.connection(self._pool) as connection:
            return await repository.add_exchange(connection, turn.who, exchange)


def _is_issued(session_id: str) -> bool:
    """Whether a name may be one that we gave out (a UUID): such a name has one owner for ever.

    Names that clients choose, such as `test-session`, are each owner's own: nobody can occupy or probe them.
    """
    try:
        return str(UUID(session_id)) == session_id
    except ValueError:
        return False
