"""The order of a turn as a LangGraph graph: route → agent → done, and once from an agent to the runner-up.

Compiled once per process, without a checkpointer: the conversation is in the database, and history comes in with the
question.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from genai_app.agents.conversation import Question
from genai_app.agents.follow_up import Standalone
from genai_app.agents.profiles import AGENTS
from genai_app.agents.routing import Choice
from genai_app.llm.chat_model import Completion
from genai_app.rag.repository import StoredPassage

UNSURE: Final = 0.8
"""A routing less sure than this is tried again with the runner-up when the first agent has no answer."""


@dataclass(frozen=True)
class Outcome:
    """What an agent came to: how much of the question (0..1) the passages cover, and which of them it rests on."""

    completion: Completion
    provider: str
    covered: float
    used: tuple[StoredPassage, ...]


class Turn(TypedDict, total=False):
    """The state that goes through the graph; `asked` are the agents that have answered, in order."""

    question: Question
    standalone: Standalone
    choice: Choice
    asked: tuple[str, ...]
    outcome: Outcome


class Step(Protocol):
    """A node: what it adds to the state, given the state."""

    async def __call__(self, state: Turn) -> Turn:
        """Do the step."""


Graph = CompiledStateGraph[Turn, Any, Turn, Turn]


def compile_graph(route: Step, work: Callable[[str], Step]) -> Graph:
    """The graph over `route` and one node for each agent; `work(name)` is that agent's step."""
    graph = StateGraph(Turn)
    graph.add_node("route", route)
    graph.add_edge(START, "route")
    names = [agent.name for agent in AGENTS]
    graph.add_conditional_edges("route", lambda turn: turn["choice"].agent, names)
    for name in names:
        graph.add_node(name, work(name))
        graph.add_conditional_edges(name, next_node, [*names, END])
    return graph.compile()


def next_node(turn: Turn) -> str:
    """Done, or the runner-up once when the first agent was an unsure choice and has no answer."""
    choice = turn["choice"]
    again = len(turn["asked"]) == 1 and choice.confidence < UNSURE and not turn["outcome"].completion.answered
    return choice.runner_up if again else END
