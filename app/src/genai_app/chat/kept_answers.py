"""Answers that may be given again: to whom, under which key, found by the same words or by others."""

import re
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from genai_app import __version__
from genai_app.agents.conversation import Answer
from genai_app.cache import Cache, Scope, answer_key
from genai_app.chat.knowledge_version import KnowledgeVersion
from genai_app.privacy import find
from genai_app.semantic_cache import SemanticCache

WITH_RECORDS: Final = "maintenance"
"""The agent that works on customers' own records. What it says from the manuals alone is everybody's."""

_NAMES_SOMEBODY: Final = re.compile(r"\b(?:my name|meu nome|i am called|me chamo)\b", re.IGNORECASE)
"""Names have no form that `privacy` could find: what introduces one has to do."""


@dataclass(frozen=True)
class Place:
    """Where the answer to a question is kept, if it may be."""

    key: str
    scope: Scope


class KeptAnswers:
    """What one process knows of answers that were given before. `semantic` is None: equal words only."""

    def __init__(
        self,
        *,
        cache: Cache,
        semantic: SemanticCache | None,
        knowledge: KnowledgeVersion,
        caching: bool,
        provider: str,
        model: str,
        prompts: str,
    ) -> None:
        self._cache = cache
        self._semantic = semantic
        self._knowledge = knowledge
        self._caching = caching
        self._provider = provider
        self._model = f"{provider}/{model}"
        self._prompts = prompts

    async def place(self, question: str) -> Place | None:
        """Where its answer is or may be kept; None: nowhere. The look-up itself is part of `Gate.admit`."""
        if not self._caching or not may_be_looked_up(question):
            return None
        knowledge_base = await self._knowledge.current()
        scope = Scope(__version__, self._model, self._prompts, knowledge_base)
        return Place(answer_key(question, scope), scope)

    async def similar(self, question: str, place: Place) -> Answer | None:
        """The answer of a question that asks the same in other words, if one is kept."""
        kept = await self._semantic.find(question, place.scope) if self._semantic else None
        return decode(kept) if kept else None

    async def keep(self, question: str, place: Place, answer: Answer) -> None:
        """Keep the answer, if it may be given to others."""
        if not may_be_kept(answer, self._provider):
            return
        await self._cache.put(place.key, encode(answer))
        if self._semantic:
            await self._semantic.put(question, place.scope, place.key)


def may_be_looked_up(question: str) -> bool:
    """Whether a question is free of personal data, so that others may have asked it too."""
    return not find(question) and _NAMES_SOMEBODY.search(question) is None


def may_be_kept(answer: Answer, provider: str) -> bool:
    """Whether an answer rests on shared knowledge alone, found some, and is of the configured `provider`.

    The offline answer that stands in for a model that is away must not outlive the outage; a handoff is one person's.
    """
    personal = bool(answer.tools) or (answer.agent == WITH_RECORDS and bool(answer.state))
    found = answer.answered and bool(answer.sources) and answer.handoff_reason is None
    return found and answer.provider == provider and not personal and not find(answer.text)


def encode(answer: Answer) -> bytes:
    """The answer as JSON."""
    return _ANSWER.dump_json(answer)


def decode(kept: bytes) -> Answer | None:
    """The answer again; None when it was written by another version."""
    try:
        return _ANSWER.validate_json(kept)
    except ValueError:
        return None


_ANSWER: Final = TypeAdapter(Answer)
