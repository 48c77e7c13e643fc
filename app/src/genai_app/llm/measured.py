"""Counts what a model does: tokens, dollars, time and failures, by model and agent; changes nothing."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Delta, Done
from genai_app.llm.failures import ModelCut, ModelFailed
from genai_app.metrics import Metrics
from genai_contract.metrics import LLM_COST, LLM_COST_UNKNOWN, LLM_ERRORS, LLM_LATENCY, LLM_TOKENS

log = structlog.get_logger(__name__)


class Measured(ChatModel):
    """`inner`, counted. The label `model` is the one that was asked, never what a server says: labels stay bounded."""

    def __init__(self, inner: ChatModel, metrics: Metrics) -> None:
        self.provider = inner.provider
        self.model = inner.model
        self._inner = inner
        self._metrics = metrics

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """As `inner`."""
        started = time.perf_counter()
        try:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Done):
                        seconds = time.perf_counter() - started
                        self._metrics.observe(LLM_LATENCY, seconds, model=self.model, agent=request.agent)
                        self._count(delta.completion, request.agent)
                    yield delta
        except ModelFailed as failure:
            self._metrics.count(LLM_ERRORS, error_type=failure.kind, model=self.model)
            log.warning("model_failed", kind=failure.kind, model=self.model, reason=str(failure))
            if isinstance(failure, ModelCut):
                self._count(failure.partial, request.agent)
            raise

    def _count(self, completion: Completion, agent: str) -> None:
        for kind, tokens in (("input", completion.tokens_in), ("output", completion.tokens_out)):
            self._metrics.count(LLM_TOKENS, tokens, type=kind, model=self.model, agent=agent)
        self._metrics.count(LLM_COST, float(completion.cost_usd), model=self.model, agent=agent)
        if not completion.cost_known:
            self._metrics.count(LLM_COST_UNKNOWN, model=self.model)
