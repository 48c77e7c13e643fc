"""The order of a turn as a LangGraph graph: route → agent → done, and once from an agent to the runner-up.

Compiled once per process, without a checkpointer: the conversation is in the database, and history comes in with the
question. Routing is the edge out of START, not a node: each round of a graph costs about as much as everything else
that is ours in a turn.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from genai_app.agents.conversation import Answer, Question, Step, Token
from genai_app.agents.profiles import AGENTS
from genai_app.agents.routing import UNSURE, Choice

Emit = Callable[[Step | Token], Awaitable[None]]
"""Where an agent's steps and tokens go while it works; waits when the reader is slow."""


class Turn(TypedDict, total=False):
    """The state that goes through the graph; `asked` are the agents that have answered, in order."""

    question: Question
    emit: Emit
    choice: Choice
    asked: tuple[str, ...]
    answer: Answer


class Node(Protocol):
    """What it adds to the state, given the state."""

    async def __call__(self, state: Turn) -> Turn:
        """Do the step."""


class Route(Protocol):
    """The first agent and the runner-up for the question of the state."""

    async def __call__(self, state: Turn) -> Choice:
        """Choose."""


Graph = CompiledStateGraph[Turn, Any, Turn, Turn]
NAMES: Final = tuple(agent.name for agent in AGENTS)


def compile_graph(route: Route, work: Callable[[str], Node]) -> Graph:
    """The graph with one node for each agent; `work(name)` is that agent's step."""

    async def enter(state: Turn) -> Send:
        choice = await route(state)
        return Send(choice.agent, {**state, "choice": choice, "asked": ()})

    graph = StateGraph(Turn)
    graph.add_conditional_edges(START, enter, list(NAMES))
    for name in NAMES:
        graph.add_node(name, work(name))
        graph.add_conditional_edges(name, next_node, [*NAMES, END])
    return graph.compile()


def next_node(turn: Turn) -> str:
    """Done, or the runner-up once when the first agent was an unsure choice and has no answer."""
    choice = turn["choice"]
    again = len(turn["asked"]) == 1 and choice.confidence < UNSURE and not turn["answer"].answered
    return choice.runner_up if again else END
