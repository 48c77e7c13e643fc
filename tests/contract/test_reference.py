"""The settings reference lists every variable and is current."""

from pathlib import Path

import pytest

from genai_contract.config import AppConfig, AppSecrets
from genai_contract.reference import FILE, deliver, render, table, values
from genai_contract.resource import FOLLOWED

ROOT = Path(__file__).parents[2]
GUIDE = {
    "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "LLM_MODEL",
    "EMBEDDING_MODEL", "JWT_SECRET_KEY", "JWT_ACCESS_EXPIRE_MINUTES", "JWT_REFRESH_EXPIRE_DAYS", "REDIS_URL",
    "CACHE_ENABLED", "CACHE_TTL", "CONFIDENCE_THRESHOLD", "HUMAN_SUPPORT_WEBHOOK", "MASK_PII", "LANGCHAIN_TRACING_V2",
    "LANGCHAIN_API_KEY", "LOG_LEVEL", "SCHEDULER_API_URL", "SCHEDULER_API_KEY",
}  # fmt: skip
"""The deployment guide's section 4.1, without what belongs to pgAdmin."""


def test_the_committed_page_is_current() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == render(), "run `make generate`"


def test_every_variable_has_one_row_and_those_of_the_guide_are_among_them() -> None:
    rows = [line.split("`")[1] for line in render().splitlines() if line.startswith("| `")]
    assert rows == [name.upper() for name in (*AppConfig.model_fields, *AppSecrets.model_fields)]
    assert set(rows) >= GUIDE


def test_a_setting_that_nobody_has_decided_about_has_no_place_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: path for name, path in FOLLOWED.items() if name != "llm_model"}
    monkeypatch.setattr("genai_contract.reference.FOLLOWED", without)
    with pytest.raises(KeyError, match="llm_model"):
        render()


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "boolean"}, "`true`, `false`"),
        ({"enum": ["a", "b"], "type": "string"}, "`a`, `b`"),
        ({"const": "HS256", "type": "string"}, "`HS256`"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "whole number ≥ 1 and ≤ 9"),
        ({"type": "number", "exclusiveMinimum": 0}, "number > 0"),
        ({"type": "string"}, "text"),
    ],
)
def test_what_a_setting_accepts_is_said_in_words(field: dict[str, object], words: str) -> None:
    assert values(field) == words


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"


def test_a_stale_page_is_refused_and_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    for stale in (None, "old"):
        if stale is not None:
            page.write_text(stale)
        with pytest.raises(SystemExit, match="is stale: run `make generate`"):
            deliver({page: "new"}, check=True)
        deliver({page: "new"}, check=False)
        deliver({page: "new"}, check=True)
        assert page.read_text() == "new"
