"""A model at an OpenAI-compatible server as a ChatModel."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Delta, Done, TextDelta, begin
from genai_app.llm.failures import ModelCut, ModelFailed
from genai_app.llm.openai_chat import CHARACTERS_PER_TOKEN, Reply, payload
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.llm.patience import ATTEMPTS, retrying, within
from genai_app.llm.prices import FREE, PriceList
from genai_app.llm.reasoning import ReasoningFilter, thinks_before_it_speaks

PATH: Final = "/chat/completions"


class OpenAIModel(ChatModel):
    """One model of one server; `attempts` are made until its first delta, none after it."""

    def __init__(self, server: OpenAIServer, *, provider: str, model: str, attempts: int = ATTEMPTS) -> None:
        self.provider = provider
        self.model = model
        self._server = server
        self._attempts = attempts
        self._prices = PriceList(provider, server.base_url)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ChatModel. Raises ModelFailed before the first delta, ModelCut after it."""
        deadline = self._server.deadline() if request.deadline is None else request.deadline
        first_by = deadline if request.first_by is None else min(deadline, request.first_by)

        async def attempt() -> tuple[AsyncGenerator[Delta, None], Delta]:
            return await begin(self._once(request, deadline))

        deltas, first = await within(first_by, self.model, lambda: retrying(attempt, first_by, attempts=self._attempts))
        async with aclosing(deltas):
            yield first
            async for delta in deltas:
                yield delta

    async def _once(self, request: ChatRequest, deadline: float) -> AsyncGenerator[Delta, None]:
        reply = Reply(ReasoningFilter(hold=thinks_before_it_speaks(self.model)))
        longest = request.max_tokens * CHARACTERS_PER_TOKEN
        body = payload(request, self.model)
        try:
            async with aclosing(self._server.replies(PATH, body, deadline)) as pieces:
                async for piece in pieces:
                    if text := reply.add(piece):
                        yield TextDelta(text)
                    if reply.length > longest:
                        reply.finish_reason = "length"
                        break
            if rest := reply.finish():
                yield TextDelta(rest)
            completion = self._completion(request, reply)
        except ModelFailed as failure:
            if reply.shown:
                partial = self._prices.partial(request, self.model, reply.text, characters=reply.length)
                raise ModelCut(failure, partial) from None
            raise
        for call in completion.tool_calls:
            yield call
        yield Done(completion)

    def _completion(self, request: ChatRequest, reply: Reply) -> Completion:
        calls = reply.tool_calls(request.tools)
        text = reply.text
        if not text and not calls:
            raise ModelFailed("validation_error", "The model's reply holds no text besides its reasoning.")
        tokens_in, tokens_out = reply.tokens("prompt_tokens"), reply.tokens("completion_tokens")
        cost = reply.cost if reply.cost is not None else self._prices.cost(self.model, tokens_in, tokens_out)
        return Completion(
            text=text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            model=reply.model or self.model,
            provider=self.provider,
            tool_calls=calls,
            cost_usd=cost or FREE,
            cost_known=cost is not None,
            finish_reason=reply.finish_reason or "stop",
            logprob_confidence=reply.logprob_confidence,
        )
