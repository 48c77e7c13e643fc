"""Which model answers, by the settings."""

import httpx2

from genai_app.llm.chat_model import ChatModel
from genai_app.llm.fallback import FallbackModels
from genai_app.llm.masked_prompts import MaskedPrompts
from genai_app.llm.measured import Measured
from genai_app.llm.offline import OfflineModel
from genai_app.llm.openai_model import OpenAIModel
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.llm.patience import ATTEMPTS
from genai_app.llm.traced import Traced
from genai_app.metrics import Metrics
from genai_app.settings import Settings
from genai_contract.config import LLMProvider
from genai_contract.metrics import LLM_REACHABLE

ATTEMPTS_BEFORE_ANOTHER = 2
"""Of a model after which there is another one to ask."""


def build_chat_model(settings: Settings, metrics: Metrics, http: httpx2.AsyncClient) -> ChatModel:
    """The offline model, or LLM_MODEL and then LLM_FALLBACK_MODELS at the same server; opens nothing."""
    provider = settings.answering_provider
    if provider is LLMProvider.OFFLINE:
        metrics.set(LLM_REACHABLE, 1)
        return OfflineModel()
    server = OpenAIServer.from_settings(settings, http)
    names = tuple(dict.fromkeys((settings.llm_model, *settings.fallback_models)))
    models = [
        OpenAIModel(
            server,
            provider=provider.value,
            model=name,
            attempts=ATTEMPTS if name == names[-1] else ATTEMPTS_BEFORE_ANOTHER,
        )
        for name in names
    ]
    asked = [Measured(Traced(_reading(model, settings)), metrics) for model in models]
    return FallbackModels(asked, total_seconds=settings.llm_timeout_seconds, metrics=metrics)


def _reading(model: ChatModel, settings: Settings) -> ChatModel:
    """The model, with prompts as MASK_PII_IN_PROMPTS has them."""
    return MaskedPrompts(model) if settings.mask_pii_in_prompts else model
