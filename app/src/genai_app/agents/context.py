"""What an agent works with, and what an agent is; holds no behaviour."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from genai_app.agents.conversation import AgentEvent, Question
from genai_app.agents.maintenance.workshop import Workshop
from genai_app.llm.chat_model import ChatModel
from genai_app.metrics import Metrics
from genai_app.rag.embedding import Embedder
from genai_app.rag.retrieval import Retriever


@dataclass(frozen=True)
class AgentContext:
    """What every agent may use; one per process. `top_k` bounds the passages of an answer."""

    model: ChatModel
    fallback: ChatModel
    retriever: Retriever
    embedder: Embedder
    metrics: Metrics
    top_k: int
    workshop: Workshop

    @property
    def has_model(self) -> bool:
        """Whether a model writes; False when everything is quoted."""
        return self.model.provider != self.fallback.provider


Work = Callable[[AgentContext, Question], AsyncIterator[AgentEvent]]
"""An agent: `async def work(ctx, question)`, which yields `Step`s and `Token`s, then one `Answer`.

It yields no `Token` before it knows that it has an answer: one that has none (`answered=False`) may be followed by
another agent's. `question.session_state` is the `state` of its own last answer, empty when a dialogue begins.
"""

Continues = Callable[[Question], bool]
"""Whether a message is a clear reply ("yes", "at ten", "I do not know") to what this agent asked last; pure.

Called only with the agent's own, non-empty state. A message that is no clear reply is routed as any other: it leaves
the dialogue when the routing is sure of another agent, and stays in it otherwise.
"""
