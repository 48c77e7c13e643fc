"""Several models as one: the first that begins to answer, in the order of the settings."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from genai_app.llm.chat_model import ChatModel, ChatRequest, Delta, Done, begin
from genai_app.llm.circuit import Circuit
from genai_app.llm.failures import ModelFailed
from genai_app.llm.prices import is_free
from genai_app.metrics import Metrics
from genai_contract.metrics import DEPENDENCY_DOWN, LLM_REACHABLE

log = structlog.get_logger(__name__)


class FallbackModels(ChatModel):
    """Tries `models` in order until one has shown its first delta; then the reply is that model's, to its end.

    `total_seconds` bounds the whole reply. A model that is not the last one must begin within half of what is left;
    a reply that nobody watches begins when it is whole.
    A request's `models` may leave only the free ones, or none.
    """

    def __init__(self, models: Sequence[ChatModel], *, total_seconds: float, metrics: Metrics) -> None:
        self.provider = models[0].provider
        self.model = models[0].model
        self._models = tuple((model, Circuit()) for model in models)
        self._total_seconds = total_seconds
        self._metrics = metrics
        self._show()

    @property
    def reachable(self) -> bool:
        """See ChatModel."""
        return not all(circuit.is_open for _, circuit in self._models)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ChatModel. Raises ModelFailed of the last model that was tried."""
        deltas, first, circuit = await self._begin(request)
        try:
            async with aclosing(deltas):
                yield first
                async for delta in deltas:
                    if isinstance(delta, Done):
                        self._succeeded(circuit)
                    yield delta
        except ModelFailed as failure:
            self._failed(circuit, failure)
            raise

    async def _begin(self, request: ChatRequest) -> tuple[AsyncGenerator[Delta, None], Delta, Circuit]:
        deadline = request.deadline or _now() + self._total_seconds
        candidates = [pair for pair in self._models if _may_be_asked(pair[0], request)]
        last: ModelFailed = ModelFailed("api_error", "No model may be asked: the budget leaves none.")
        for position, (model, circuit) in enumerate(candidates):
            if not circuit.allows(_now()):
                self._metrics.count(DEPENDENCY_DOWN, dependency="model", policy="circuit-open")
                last = ModelFailed("api_error", f"{model.model} is left alone for a while after its failures.")
                continue
            others = position + 1 < len(candidates)
            first_by = _now() + (deadline - _now()) / 2 if others else deadline
            try:
                deltas, first = await begin(model.stream(replace(request, deadline=deadline, first_by=first_by)))
            except ModelFailed as failure:
                if failure.kind != "validation_error":  # that one may be about this request alone
                    self._failed(circuit, failure)
                last = failure
            else:
                if isinstance(first, Done):
                    self._succeeded(circuit)
                return deltas, first, circuit
        raise last

    def _succeeded(self, circuit: Circuit) -> None:
        was_open = circuit.is_open
        circuit.succeeded()
        if was_open:
            self._show()

    def _failed(self, circuit: Circuit, failure: ModelFailed) -> None:
        circuit.failed(_now(), failure.wait)
        self._show()

    def _show(self) -> None:
        self._metrics.set(LLM_REACHABLE, self.reachable)


def _may_be_asked(model: ChatModel, request: ChatRequest) -> bool:
    return request.models == "any" or (request.models == "free" and is_free(model.model))


def _now() -> float:
    return asyncio.get_running_loop().time()
