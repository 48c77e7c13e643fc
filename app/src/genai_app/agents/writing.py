"""Having a reply written: by the model, piece by piece, or from the evidence alone when there is none or it fails."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

import structlog

from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import Token
from genai_app.agents.marker import Held
from genai_app.errors import ModelDown
from genai_app.llm.chat_model import ChatRequest, Completion, Done, TextDelta
from genai_app.llm.failures import ModelCut
from genai_app.llm.offline import NOT_FOUND
from genai_app.llm.vocabulary import Language, language
from genai_contract.metrics import DEPENDENCY_DOWN

log = structlog.get_logger(__name__)

CUT_OFF: Final[dict[Language, str]] = {
    "en": "\n\n(The answer broke off here: the connection to the model was lost. Please ask again.)",
    "pt": "\n\n(A resposta parou aqui: a conexão com o modelo caiu. Por favor, pergunte de novo.)",
}
REPEATED_FAILURE: Final = "repeated_failure"


@dataclass(frozen=True)
class Written:
    """A whole reply, who wrote it, and why a person should take over (None: nothing went wrong)."""

    completion: Completion
    provider: str
    handoff_reason: str | None = None


async def write(ctx: AgentContext, request: ChatRequest, instead: Completion) -> AsyncGenerator[Token | Written]:
    """Tokens as they come, then the whole reply. A reply that answers nothing has no tokens.

    `instead` is the reply without a model, or when it fails before its first words. When it fails after them, the reply
    ends with a sentence that says so.
    """
    shown, ending = "", Written(instead, ctx.fallback.provider)
    if ctx.has_model and request.models != "offline":
        try:
            async with aclosing(_from_model(ctx, request)) as events:
                async for event in events:
                    if isinstance(event, Token):
                        shown += event.text
                    yield event
        except ModelDown as down:
            policy = "cut-short" if shown else "offline-answer"
            ctx.metrics.count(DEPENDENCY_DOWN, dependency="model", policy=policy)
            log.warning("model_down", reason=str(down), agent=request.agent, policy=policy)
            ending = _broken_off(ctx, request, down, shown) if shown else ending
        else:
            return
    rest = ending.completion.text.removeprefix(shown) if ending.completion.answered else ""
    for line in rest.splitlines(keepends=True):
        yield Token(line)
    yield ending


def _broken_off(ctx: AgentContext, request: ChatRequest, down: ModelDown, shown: str) -> Written:
    """What was shown, with the sentence that it broke off; a person is asked to help."""
    text = shown + CUT_OFF[language(request.question)]
    partial = down.partial if isinstance(down, ModelCut) else Completion("", 0, 0, ctx.model.model)
    whole = replace(partial, text=text, finish_reason="cut")
    return Written(whole, whole.provider or ctx.model.provider, REPEATED_FAILURE)


async def _from_model(ctx: AgentContext, request: ChatRequest) -> AsyncGenerator[Token | Written]:
    held = Held()
    shown = ""
    async with aclosing(ctx.model.stream(request)) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                piece = held.push(delta.text)
            elif isinstance(delta, Done):
                piece = held.rest()
            else:
                continue  # a tool that nobody offered
            shown += piece
            if piece:
                yield Token(piece)
            if isinstance(delta, Done):
                completion = _reply(delta.completion, shown, request.question, found=held.found)
                yield Written(completion, completion.provider or ctx.model.provider)


def _reply(completion: Completion, shown: str, question: str, *, found: bool) -> Completion:
    """The reply as it was shown; a sentence in the customer's language when all that came was the marker."""
    if not shown:
        return replace(completion, text=NOT_FOUND[language(question)], answered=False)
    return replace(completion, text=shown, answered=completion.answered and not found)
