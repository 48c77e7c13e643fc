"""Answering from the manuals: look passages up, let a model or nobody write, say which passages it rests on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import AgentEvent, Answer, Question, Source, Step, Token
from genai_app.agents.follow_up import standalone
from genai_app.agents.profiles import Agent, prompt
from genai_app.agents.writing import Written, write
from genai_app.llm.chat_model import ChatRequest, Completion, Evidence
from genai_app.llm.extraction import Extract, extract
from genai_app.llm.offline import MODEL, OfflineModel, compose
from genai_app.llm.vocabulary import language
from genai_app.rag.repository import StoredPassage
from genai_app.rag.retrieval import Lookup

CANDIDATES_PER_PASSAGE: Final = 2
"""A question with two parts needs passages that rank low for it as a whole."""
UNKNOWN_AT_MOST: Final = 0.3
"""Confidence of "I do not know" at most: the question was not answered, however near the passages are."""


@dataclass(frozen=True)
class Found:
    """What the manuals have for a question: `candidates` best first, and the lines of them that answer it."""

    topic: tuple[str, ...]
    candidates: tuple[StoredPassage, ...]
    lines: Extract

    def quotation(self, question: Question) -> Completion:
        """The lines as a reply in the customer's language; the plain statement that there are none."""
        text = compose(self.lines, language(question.text))
        return Completion(text, 0, 0, MODEL, answered=bool(self.lines.lines), provider=OfflineModel.provider)

    @property
    def covered(self) -> float:
        """How much of the question the lines cover, 0..1."""
        return sum(self.lines.coverage) / len(self.lines.coverage) if self.lines.coverage else 0.0


async def answer(ctx: AgentContext, agent: Agent, question: Question) -> AsyncIterator[AgentEvent]:
    """The whole work of an agent that knows what the manuals say and no more. Raises DatabaseDown."""
    yield Step("rag_retrieval")
    found = await look_up(ctx, agent, question)
    yield Step("generating")
    async for event in write(ctx, request(ctx, agent, question, found), found.quotation(question)):
        if isinstance(event, Token):
            yield event
        else:
            yield _answer(ctx, agent, question, found, event)


async def look_up(ctx: AgentContext, agent: Agent, question: Question) -> Found:
    """The passages for a question, a follow-up together with what it follows. Raises DatabaseDown."""
    whole = standalone(question)
    lookup = Lookup(whole.text, agent.name, ctx.top_k * CANDIDATES_PER_PASSAGE, weights=agent.weights)
    candidates = await ctx.retriever.retrieve(lookup)
    return Found(whole.topic, candidates, extract(question.text, whole.topic, evidence(candidates)))


def request(
    ctx: AgentContext,
    agent: Agent,
    question: Question,
    found: Found,
    *,
    notes: Sequence[str] = (),
    first: Sequence[Evidence] = (),
) -> ChatRequest:
    """What a model is asked; `notes` are the agent's instructions for this turn, `first` passages of its own."""
    passages = (*first, *evidence(given(ctx, found)))
    return ChatRequest(
        messages=prompt(agent, question.text, question.history, passages, notes),
        question=question.text,
        topic=found.topic,
        evidence=passages,
        agent=agent.name,
        temperature=agent.temperature,
        streamed=question.watched,
        models=question.models,
    )


def given(ctx: AgentContext, found: Found) -> tuple[StoredPassage, ...]:
    """The passages that go into a prompt."""
    return tuple(found.candidates[index] for index in chosen(found.lines.passages, len(found.candidates), ctx.top_k))


def chosen(quoted: Sequence[int], candidates: int, most: int) -> tuple[int, ...]:
    """Which of the ranked candidates an answer may use: those that answer some part of it, then the best ranked."""
    return tuple(dict.fromkeys([*quoted, *range(candidates)]))[:most]


def quoted(ctx: AgentContext, found: Found) -> tuple[Source, ...]:
    """The sources of the lines that answer the question."""
    return tuple(source(found.candidates[index]) for index in found.lines.passages[: ctx.top_k])


def confidence(covered: float, *, answered: bool) -> float:
    """How far the passages cover the question, 0..1; at most UNKNOWN_AT_MOST for "I do not know"."""
    return round(min(1.0 if answered else UNKNOWN_AT_MOST, covered), 3)


def evidence(passages: Sequence[StoredPassage]) -> tuple[Evidence, ...]:
    """Passages as a model gets them."""
    return tuple(Evidence(passage.heading, passage.text) for passage in passages)


def source(passage: StoredPassage) -> Source:
    """A passage as an answer names it."""
    return Source(passage.source, passage.heading, passage.document_type, round(max(0.0, passage.similarity), 4))


def credited(ctx: AgentContext, answer: Answer, found: Found, written: Written) -> Answer:
    """`answer` with the passages that it rests on, who wrote it, and what that took."""
    completion = written.completion
    if not completion.answered:
        sources: tuple[Source, ...] = ()
    elif written.provider == ctx.fallback.provider:
        sources = quoted(ctx, found)
    else:
        sources = tuple(map(source, given(ctx, found)))
    return replace(
        answer,
        sources=sources,
        provider=written.provider,
        model=completion.model,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        cost_usd=completion.cost_usd,
        handoff_reason=written.handoff_reason,
    )


def _answer(ctx: AgentContext, agent: Agent, question: Question, found: Found, written: Written) -> Answer:
    covered, answered = found.covered, written.completion.answered
    if written.provider != ctx.fallback.provider:
        nearest = max((passage.similarity for passage in given(ctx, found)), default=0.0)
        covered = max(covered, ctx.embedder.scale.strength(nearest))
    answer = Answer(
        text=written.completion.text,
        agent=agent.name,
        confidence=confidence(covered, answered=answered),
        language=language(question.text),
        answered=answered,
    )
    return credited(ctx, answer, found, written)
