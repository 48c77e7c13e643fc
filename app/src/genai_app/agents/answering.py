"""The one door to the agents: a question goes in, an answer with its sources comes out."""

from collections.abc import Sequence

import asyncpg
import httpx2
import structlog

from genai_app.agents.conversation import Answer, HistoryMessage, Question, Routing, Source
from genai_app.agents.follow_up import standalone
from genai_app.agents.graph import Outcome, Step, Turn, compile_graph
from genai_app.agents.profiles import NOT_IN_MANUALS, Agent, by_name, prompt, prompts_version
from genai_app.agents.routing import Router
from genai_app.errors import ModelDown
from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Evidence
from genai_app.llm.extraction import extract
from genai_app.llm.offline import NOT_FOUND, OfflineModel
from genai_app.llm.openai_wire import OpenAIModel, OpenAIServer
from genai_app.llm.vocabulary import language
from genai_app.metrics import Metrics
from genai_app.rag.embedding import Embedder, build_embedder
from genai_app.rag.repository import StoredPassage
from genai_app.rag.retrieval import Lookup, Retriever
from genai_app.settings import Settings
from genai_contract.config import LLMProvider
from genai_contract.metrics import AGENT_ROUTING, AGENT_ROUTING_CONFIDENCE, DEPENDENCY_DOWN

__all__ = [
    "Agents",
    "Answer",
    "HistoryMessage",
    "Question",
    "Routing",
    "Source",
    "build_agents",
    "build_chat_model",
    "prompts_version",
]

log = structlog.get_logger(__name__)

CANDIDATES_PER_PASSAGE = 2
"""A question with two parts needs passages that rank low for it as a whole."""
UNKNOWN_AT_MOST = 0.3
"""Confidence of "I do not know" at most: the question was not answered, however near the passages are."""


def build_agents(*, settings: Settings, pool: asyncpg.Pool, metrics: Metrics, http: httpx2.AsyncClient) -> "Agents":
    """The agents of one process; opens nothing. Raises ConfigurationError when the settings contradict each other."""
    embedder = build_embedder(settings, http)
    return Agents(
        model=build_chat_model(settings, metrics, http),
        embedder=embedder,
        retriever=Retriever(pool, embedder, metrics),
        metrics=metrics,
        top_k=settings.similarity_top_k,
    )


def build_chat_model(settings: Settings, metrics: Metrics, http: httpx2.AsyncClient) -> ChatModel:
    """Who writes the answers, by the settings."""
    provider = settings.answering_provider
    if provider is LLMProvider.OFFLINE:
        return OfflineModel()
    server = OpenAIServer.from_settings(settings, http)
    return OpenAIModel(server, provider=provider.value, model=settings.llm_model, metrics=metrics)


class Agents:
    """Answers questions; holds the compiled graph. One per process, safe for any number of turns at once."""

    def __init__(
        self, *, model: ChatModel, embedder: Embedder, retriever: Retriever, metrics: Metrics, top_k: int
    ) -> None:
        self._model = model
        self._fallback = OfflineModel()
        self._embedder = embedder
        self._router = Router(embedder)
        self._retriever = retriever
        self._metrics = metrics
        self._top_k = top_k
        self._graph = compile_graph(self._route, self._agent)

    async def warm_up(self) -> None:
        """Load the embedding model and the routing examples: call it before saying ready. A server away is no error."""
        await self._embedder.warm_up()
        await self._router.warm_up()

    async def answer(self, question: Question) -> Answer:
        """The answer, by a model or, when that fails, from the passages alone. Raises DatabaseDown only."""
        turn = await self._graph.ainvoke({"question": question, "asked": ()})
        choice, outcome, agent = turn["choice"], turn["outcome"], turn["asked"][-1]
        self._metrics.count(AGENT_ROUTING, selected_agent=agent, routing_method=choice.method)
        self._metrics.observe(AGENT_ROUTING_CONFIDENCE, choice.confidence, selected_agent=agent)
        return Answer(
            text=outcome.completion.text,
            agent=agent,
            confidence=confidence(outcome),
            sources=tuple(_source(passage) for passage in outcome.used),
            routing=Routing(agent, choice.confidence, choice.method, rerouted=len(turn["asked"]) > 1),
            provider=outcome.provider,
            model=outcome.completion.model,
            tokens_in=outcome.completion.tokens_in,
            tokens_out=outcome.completion.tokens_out,
        )

    async def _route(self, state: Turn) -> Turn:
        whole = standalone(state["question"])
        return {"standalone": whole, "choice": await self._router.choose(whole.text)}

    def _agent(self, name: str) -> Step:
        agent = by_name(name)

        async def work(state: Turn) -> Turn:
            candidates = self._top_k * CANDIDATES_PER_PASSAGE
            lookup = Lookup(state["standalone"].text, agent.name, candidates, weights=agent.weights)
            passages = await self._retriever.retrieve(lookup)
            return {"asked": (*state["asked"], agent.name), "outcome": await self._write(agent, state, passages)}

        return work

    async def _write(self, agent: Agent, turn: Turn, candidates: tuple[StoredPassage, ...]) -> Outcome:
        question, topic = turn["question"], turn["standalone"].topic
        found = extract(question.text, topic, _evidence(candidates))
        passages = tuple(candidates[index] for index in chosen(found.passages, len(candidates), self._top_k))
        evidence = _evidence(passages)
        request = ChatRequest(
            messages=prompt(agent, question.text, question.history, evidence),
            question=question.text,
            topic=topic,
            evidence=evidence,
            agent=agent.name,
            temperature=agent.temperature,
        )
        completion, provider = await self._complete(request)
        covered = sum(found.coverage) / len(found.coverage) if found.coverage else 0.0
        if provider == self._fallback.provider:
            used = tuple(candidates[index] for index in found.passages[: self._top_k])
        else:
            covered = max(covered, self._embedder.scale.strength(max((p.similarity for p in passages), default=0.0)))
            used = passages if completion.answered else ()
        return Outcome(completion, provider, covered, used)

    async def _complete(self, request: ChatRequest) -> tuple[Completion, str]:
        """The model's reply; the offline one when there is no model or it failed."""
        try:
            completion = await self._model.complete(request)
        except ModelDown as down:
            self._metrics.count(DEPENDENCY_DOWN, dependency="model", policy="offline-answer")
            log.warning("model_down_answering_offline", reason=str(down), agent=request.agent)
            return await self._fallback.complete(request), self._fallback.provider
        return without_marker(completion, request.question), self._model.provider


def chosen(quoted: Sequence[int], candidates: int, most: int) -> tuple[int, ...]:
    """Which of the ranked candidates an answer may use: those that answer some part of it, then the best ranked."""
    return tuple(dict.fromkeys([*quoted, *range(candidates)]))[:most]


def without_marker(completion: Completion, question: str) -> Completion:
    """A model's "not in the manuals" as a sentence in the customer's language; any other reply as it is."""
    if NOT_IN_MANUALS not in completion.text:
        return completion
    return Completion(
        text=NOT_FOUND[language(question)],
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        model=completion.model,
        answered=False,
    )


def confidence(outcome: Outcome) -> float:
    """How far the passages cover the question, 0..1; at most UNKNOWN_AT_MOST for "I do not know"."""
    bound = 1.0 if outcome.completion.answered else UNKNOWN_AT_MOST
    return round(min(bound, outcome.covered), 3)


def _evidence(passages: Sequence[StoredPassage]) -> tuple[Evidence, ...]:
    return tuple(Evidence(passage.heading, passage.text) for passage in passages)


def _source(passage: StoredPassage) -> Source:
    return Source(passage.source, passage.heading, passage.document_type, round(max(0.0, passage.similarity), 4))
