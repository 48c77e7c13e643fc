"""The deciding functions of the app core, with plain values."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app import ratelimit
from genai_app.agents.conversation import HistoryMessage
from genai_app.chat.history import CHARACTERS_PER_TOKEN, MOST_MESSAGES, MOST_TOKENS, recent
from genai_app.errors import Invalid, TooMany
from genai_app.logs import hide_secrets
from genai_app.paging import decode_cursor, encode_cursor
from genai_app.ratelimit import PER_ADDRESS


@given(st.lists(st.text(max_size=3000), max_size=40))
def test_history_is_a_bounded_tail(texts: list[str]) -> None:
    messages = [HistoryMessage("user", text) for text in texts]
    kept = recent(messages)
    assert list(kept) == messages[len(messages) - len(kept) :]
    assert len(kept) <= MOST_MESSAGES
    assert sum(len(message.content) for message in kept) <= MOST_TOKENS * CHARACTERS_PER_TOKEN


@given(st.text(), st.integers())
def test_a_cursor_comes_back_whole(name: str, position: int) -> None:
    assert decode_cursor(encode_cursor(name, position), str, int) == (name, position)


@given(st.text(max_size=100) | st.text(string.ascii_letters + string.digits + "-_=", max_size=100))
def test_any_other_cursor_is_invalid(cursor: str) -> None:
    with pytest.raises(Invalid, match="next_cursor"):
        decode_cursor(cursor, str, int)


def test_an_empty_bucket_says_when_to_come_back() -> None:
    decision = ratelimit.decision(PER_ADDRESS, [0, 0, 150_000, 2_000_000])
    with pytest.raises(TooMany, match="5 requests a second with a burst of 10") as refused:
        decision.enforce()
    assert refused.value.retry_after == 1
    assert refused.value.headers == {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2"}


@pytest.mark.parametrize("name", ["password", "access_token", "Authorization", "openrouter_api_key", "jwt_secret_key"])
def test_logs_never_show_a_secret(name: str) -> None:
    assert hide_secrets(None, "info", {name: "hunter2", "event": "log in"}) == {name: "***", "event": "log in"}
