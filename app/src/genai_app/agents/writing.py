"""Having a reply written: by the model, piece by piece, or from the evidence alone when there is none or it fails."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import structlog

from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import Token
from genai_app.agents.profiles import NOT_IN_MANUALS
from genai_app.errors import ModelDown
from genai_app.llm.chat_model import ChatRequest, Completion
from genai_app.llm.offline import NOT_FOUND
from genai_app.llm.vocabulary import language
from genai_contract.metrics import DEPENDENCY_DOWN

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Written:
    """A whole reply, who wrote it, and why a person should take over (None: nothing went wrong)."""

    completion: Completion
    provider: str
    handoff_reason: str | None = None


async def write(ctx: AgentContext, request: ChatRequest) -> AsyncIterator[Token | Written]:
    """Tokens as they come, then the whole reply. A reply that answers nothing has no tokens."""
    try:
        completion = without_marker(await ctx.model.complete(request), request.question)
        written = Written(completion, ctx.model.provider)
    except ModelDown as down:
        ctx.metrics.count(DEPENDENCY_DOWN, dependency="model", policy="offline-answer")
        log.warning("model_down_answering_offline", reason=str(down), agent=request.agent)
        written = Written(await ctx.fallback.complete(request), ctx.fallback.provider)
    if written.completion.answered:
        yield Token(written.completion.text)
    yield written


def without_marker(completion: Completion, question: str) -> Completion:
    """A model's "not in the manuals" as a sentence in the customer's language; any other reply as it is."""
    if NOT_IN_MANUALS not in completion.text:
        return completion
    return replace(completion, text=NOT_FOUND[language(question)], answered=False)
