"""The one door to the agents: a question goes in, its events come out, the answer with its sources last."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import cast

import anyio
import asyncpg
import httpx2
from anyio.streams.memory import MemoryObjectSendStream

from genai_app.agents import profiles
from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import (
    AgentEvent,
    Answer,
    CustomerScope,
    HistoryMessage,
    Question,
    Routing,
    Source,
    Step,
    Token,
)
from genai_app.agents.dialogue import kept_state, own_part, route
from genai_app.agents.graph import Emit, Node, Turn, compile_graph
from genai_app.agents.maintenance.workshop import build_workshop
from genai_app.agents.routing import Choice, Router
from genai_app.agents.second_opinion import SecondOpinion
from genai_app.agents.team import TEAM
from genai_app.agents.troubleshoot.safety import dangers
from genai_app.agents.troubleshoot.tree import load_trees, trees_version
from genai_app.llm.building import build_chat_model
from genai_app.llm.chat_model import ChatModel
from genai_app.llm.offline import OfflineModel
from genai_app.metrics import Metrics
from genai_app.rag.embedding import Embedder, build_embedder
from genai_app.rag.retrieval import Retriever
from genai_app.settings import Settings
from genai_contract.metrics import AGENT_REROUTING, AGENT_ROUTING, AGENT_ROUTING_CONFIDENCE

__all__ = [
    "AgentEvent",
    "Agents",
    "Answer",
    "CustomerScope",
    "HistoryMessage",
    "Question",
    "Routing",
    "Source",
    "Step",
    "Token",
    "build_agents",
    "build_chat_model",
    "prompts_version",
]

WAITING_EVENTS = 64
"""Events that may wait for a slow reader; after that the model's stream waits too."""


def prompts_version() -> str:
    """Differs when an agent is told something else or a symptom tree was changed; part of a cached answer's key."""
    return profiles.prompts_version(trees_version())


def build_agents(*, settings: Settings, pool: asyncpg.Pool, metrics: Metrics, http: httpx2.AsyncClient) -> "Agents":
    """The agents of one process; opens nothing. Raises ConfigurationError when the settings contradict each other."""
    embedder = build_embedder(settings, http)
    return Agents(
        AgentContext(
            model=build_chat_model(settings, metrics, http),
            fallback=OfflineModel(),
            retriever=Retriever(pool, embedder, metrics),
            embedder=embedder,
            metrics=metrics,
            top_k=settings.similarity_top_k,
            workshop=build_workshop(settings=settings, pool=pool, metrics=metrics, http=http),
        )
    )


class Agents:
    """Answers questions; holds the compiled graph. One per process, safe for any number of turns at once."""

    def __init__(self, ctx: AgentContext) -> None:
        self._ctx = ctx
        self._router = Router(ctx.embedder)
        self._second = SecondOpinion(ctx.model) if ctx.has_model else None
        self._graph = compile_graph(self._route, self._node)

    @property
    def embedder(self) -> Embedder:
        """Who turns questions into vectors; it remembers the last ones: a look-up before the answer costs nothing."""
        return self._ctx.embedder

    @property
    def model(self) -> ChatModel:
        """Who writes answers."""
        return self._ctx.model

    async def warm_up(self) -> None:
        """Load the embedding model, the examples and the trees before saying ready. A server away is no error."""
        load_trees()
        dangers()
        await self._ctx.embedder.warm_up()
        await self._router.warm_up()

    async def events(self, question: Question) -> AsyncGenerator[AgentEvent]:
        """Steps and tokens as they happen, then the answer; the answer alone when nobody watches.

        Close the iterator (`aclosing`) to stop the work: a model's stream is then cut, and nothing more is done. Raises
        DatabaseDown only.
        """
        if not question.watched:
            yield await self._answer(question, _nowhere)
            return
        sending, arriving = anyio.create_memory_object_stream[Step | Token](WAITING_EVENTS)
        task = asyncio.create_task(self._send(question, sending))
        try:
            with arriving:
                async for event in arriving:
                    yield event
            yield await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def answer(self, question: Question) -> Answer:
        """The answer alone, whoever watches. Raises DatabaseDown only."""
        return await self._answer(replace(question, watched=False), _nowhere)

    async def _send(self, question: Question, sending: MemoryObjectSendStream[Step | Token]) -> Answer:
        with sending:
            return await self._answer(question, sending.send)

    async def _answer(self, question: Question, emit: Emit) -> Answer:
        turn = await self._graph.ainvoke({"question": question, "emit": emit})
        choice, asked = turn["choice"], turn["asked"]
        agent = asked[-1]
        self._ctx.metrics.count(AGENT_ROUTING, selected_agent=agent, routing_method=choice.method)
        self._ctx.metrics.observe(AGENT_ROUTING_CONFIDENCE, choice.confidence, selected_agent=agent)
        for former, latter in pairwise(asked):
            self._ctx.metrics.count(AGENT_REROUTING, from_agent=former, to_agent=latter, reason="wrong_agent")
        routing = Routing(agent, choice.confidence, choice.method, rerouted=len(asked) > 1)
        answer = cast("Answer", turn["answer"])
        spent = choice.spent
        if spent is None:
            return replace(answer, routing=routing)
        return replace(
            answer,
            routing=routing,
            tokens_in=answer.tokens_in + spent.tokens_in,
            tokens_out=answer.tokens_out + spent.tokens_out,
            cost_usd=answer.cost_usd + spent.cost_usd,
        )

    async def _route(self, state: Turn) -> Choice:
        await state["emit"](Step("agent_routing"))
        return await route(state["question"], self._router, self._second)

    def _node(self, name: str) -> Node:
        member = TEAM[name]

        async def work(state: Turn) -> Turn:
            question = own_part(state["question"], name)
            answer: Answer | None = None
            working = cast("AsyncGenerator[AgentEvent, None]", member.work(self._ctx, question))
            async with aclosing(working) as events:
                async for event in events:
                    if isinstance(event, Answer):
                        answer = replace(event, agent=name, state=kept_state(name, event.state))
                    else:
                        await state["emit"](event)
            if answer is None:
                raise RuntimeError(f"the agent {name} ended without an answer")
            return {"choice": state["choice"], "asked": (*state["asked"], name), "answer": answer}

        return work


async def _nowhere(event: Step | Token) -> None:
    """Nobody watches."""
