"""What a call costs, and the most that a turn can cost."""

from decimal import Decimal

import pytest

from genai_app.llm.prices import CALLS_PER_TURN, PriceList, turn_bound
from genai_app.settings import Settings


@pytest.mark.parametrize(
    ("prices", "model", "dollars"),
    [
        (PriceList("openrouter"), "anthropic/claude-3-opus", Decimal("0.0225")),
        (PriceList("openrouter"), "openai/gpt-4", Decimal("0.036")),
        (PriceList("openrouter"), "tngtech/deepseek-r1t2-chimera:free", Decimal(0)),
        (PriceList("openrouter"), "nobody/knows-this", None),
        (PriceList("openai-compatible", "https://api.openai.com/v1"), "gpt-4", Decimal("0.036")),
        (PriceList("openai-compatible", "http://vllm:8000/v1"), "gpt-4", None),
        (PriceList("anthropic"), "claude-3-opus-20240229", Decimal("0.0225")),
    ],
)
def test_a_thousand_tokens_in_and_a_hundred_out(prices: PriceList, model: str, dollars: Decimal | None) -> None:
    assert prices.cost(model, 1000, 100) == dollars


def paid(**variables: str) -> Settings:
    return Settings.from_environment({"OPENROUTER_API_KEY": "key", "LLM_MODEL": "openai/gpt-4o-mini", **variables})


@pytest.mark.parametrize(
    "settings",
    [
        Settings.from_environment({}),
        Settings.from_environment({"LLM_MODEL": "openai/gpt-4o", "LLM_PROVIDER": "offline"}),
        Settings.from_environment({"OPENROUTER_API_KEY": "key", "LLM_MODEL": "a/b:free"}),
    ],
    ids=["nothing set", "offline", "free"],
)
def test_where_nothing_costs_there_is_no_bound(settings: Settings) -> None:
    assert turn_bound(settings) is None


def test_the_bound_grows_with_the_message_and_covers_the_dearest_model() -> None:
    cheap, dear = turn_bound(paid()), turn_bound(paid(LLM_FALLBACK_MODELS="anthropic/claude-3-opus"))
    assert cheap is not None
    assert dear is not None
    assert cheap(100) < cheap(8_000) < dear(100)
    table = PriceList("openrouter").cost("openai/gpt-4o-mini", 4_500, 1024)
    assert table is not None
    assert cheap(100) == table * CALLS_PER_TURN


def test_a_model_without_a_price_is_watched_all_the_same() -> None:
    bound = turn_bound(paid(LLM_MODEL="nobody/knows-this"))
    assert bound is not None
    assert bound(8_000) == 0
