"""What model calls cost, in USD: by the server's own word, else by the price table of `genai-prices`; no network.

The table takes 0.3 s and 11 MB to load, so that only who uses a paid model pays for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from genai_app.llm.chat_model import ChatRequest, Completion
from genai_app.settings import Settings
from genai_contract.config import LLMProvider

FREE: Final = Decimal(0)
CHARACTERS_PER_TOKEN: Final = 3
"""For bounds: English has about 4.5, Portuguese 3.7."""
PROMPT_TOKENS: Final = 4_000
"""Of rules, passages and tools, beside what the customer wrote."""
CALLS_PER_TURN: Final = 3
"""Routing, an answer, and one more for a tool's result or the second agent."""
REPLY_TOKENS: Final = 1024
_GRAIN: Final = 500
"""Bounds are computed for the next multiple of this many tokens: few different ones, all remembered."""


@dataclass(frozen=True)
class PriceList:
    """The prices at one server: `provider` as `genai-prices` names it, or `openai-compatible` with its `base_url`."""

    provider: str
    base_url: str = ""

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> Decimal | None:
        """USD of one call; 0 for a `:free` model, None when no price is known."""
        if is_free(model):
            return FREE
        return _table_cost(self.provider, self.base_url, model, tokens_in, tokens_out)

    def partial(self, request: ChatRequest, model: str, text: str, *, characters: int) -> Completion:
        """A reply that broke off after `text`; `characters` were written in all. Who could have counted is gone."""
        tokens_in = estimated_tokens(sum(len(message.content) for message in request.messages))
        tokens_out = estimated_tokens(characters)
        cost = self.cost(model, tokens_in, tokens_out)
        return Completion(
            text=text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            model=model,
            provider=self.provider,
            cost_usd=cost or FREE,
            cost_known=cost is not None,
            finish_reason="cut",
        )


def is_free(model: str) -> bool:
    """Whether a model costs nothing, which OpenRouter marks in its name."""
    return model.endswith(":free")


def estimated_tokens(characters: int) -> int:
    """A bound for the tokens of a text, for when the server does not say."""
    return characters // CHARACTERS_PER_TOKEN + 1


def turn_bound(settings: Settings) -> Callable[[int], Decimal] | None:
    """A function from the characters of message and history to the most USD that a turn costs; None: nothing ever.

    A model without a known price adds nothing to the bound: what the server then says it cost is counted afterwards.
    """
    if settings.answering_provider is LLMProvider.OFFLINE:
        return None
    prices = price_list(settings)
    paid = [model for model in (settings.llm_model, *settings.fallback_models) if not is_free(model)]
    if not paid:
        return None

    def bound(characters: int) -> Decimal:
        tokens = PROMPT_TOKENS + estimated_tokens(characters)
        tokens += -tokens % _GRAIN
        costs = [prices.cost(model, tokens, REPLY_TOKENS) or FREE for model in paid]
        return max(costs) * CALLS_PER_TURN

    return bound


def price_list(settings: Settings) -> PriceList:
    """The prices of the server that the settings name."""
    return PriceList(settings.answering_provider.value, settings.openrouter_base_url)


@lru_cache(maxsize=1024)
def _table_cost(provider: str, base_url: str, model: str, tokens_in: int, tokens_out: int) -> Decimal | None:
    import genai_prices  # see the module's docstring

    usage = genai_prices.Usage(input_tokens=tokens_in, output_tokens=tokens_out)
    try:
        if provider == LLMProvider.OPENAI_COMPATIBLE.value:  # anybody's server: its address may be known
            price = genai_prices.calc_price(usage, model, provider_api_url=base_url)
        else:
            price = genai_prices.calc_price(usage, model, provider_id=provider)
    except LookupError:
        return None
    return price.total_price
