"""The deciding functions of the app core, with plain values."""

import dataclasses
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app import ratelimit
from genai_app.agents.conversation import Answer, HistoryMessage, Routing, Source
from genai_app.cache import answer_key, normalised
from genai_app.chat import kept_answers
from genai_app.chat.history import CHARACTERS_PER_TOKEN, MOST_MESSAGES, MOST_TOKENS, recent
from genai_app.errors import Invalid, TooMany
from genai_app.logs import hide_secrets
from genai_app.paging import decode_cursor, encode_cursor
from genai_app.ratelimit import PER_ADDRESS

ANSWER = Answer(
    text="SAE 5W-30, API SN.",
    agent="specs",
    confidence=0.9,
    sources=(Source("specs.md", "Engine > Oil", "spec", 0.91),),
    routing=Routing("specs", 0.8, "embedding_margin", rerouted=False),
    provider="offline",
    model="extraction",
    tokens_in=0,
    tokens_out=0,
)


@given(st.lists(st.text(max_size=3000), max_size=40))
def test_history_is_a_bounded_tail(texts: list[str]) -> None:
    messages = [HistoryMessage("user", text) for text in texts]
    kept = recent(messages)
    assert list(kept) == messages[len(messages) - len(kept) :]
    assert len(kept) <= MOST_MESSAGES
    assert sum(len(message.content) for message in kept) <= MOST_TOKENS * CHARACTERS_PER_TOKEN


@pytest.mark.parametrize(
    "same",
    ["which oil does it take", "Which  oil does it take?", "WHICH OIL\nDOES IT TAKE?!", " Which oil does it take ? "],
)
def test_questions_that_mean_the_same_letter_by_letter_share_a_key(same: str) -> None:
    versions = {"model": "m", "prompts": "1", "knowledge_base": "7"}
    assert answer_key(same, **versions) == answer_key("Which oil does it take?", **versions)


@pytest.mark.parametrize("part", ["model", "prompts", "knowledge_base"])
def test_everything_that_shapes_an_answer_is_in_the_key(part: str) -> None:
    versions = {"model": "m", "prompts": "1", "knowledge_base": "7"}
    assert answer_key("oil?", **versions) != answer_key("oil?", **{**versions, part: "other"})


def test_accents_are_compared_in_any_encoding() -> None:
    assert normalised("Qual o O\u0301leo?") == normalised("qual o \u00f3leo")
    assert normalised("Qual o óleo?") != normalised("Qual o oleo?")


@pytest.mark.parametrize(
    "question",
    [
        "I am ana@example.com, which oil?", "Call me: +55 11 91234-5678", "CPF 529.982.247-25", "VIN 9BWZZZ377VT004251",
        "My plate is ABC1D23", "placa abc-1234", "My name is Ana, which oil?", "Meu nome é Ana",
    ],
)  # fmt: skip
def test_a_question_that_looks_personal_is_never_looked_up(question: str) -> None:
    assert not kept_answers.may_be_looked_up(question)


@pytest.mark.parametrize(
    "question",
    ["Which oil does the GenAuto X1 2024 take?", "At 10,000 km or 12 months?", "205/60 R16 at 32 psi?"],
)
def test_an_ordinary_question_is_looked_up(question: str) -> None:
    assert kept_answers.may_be_looked_up(question)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, True),
        ({"agent": "maintenance"}, False),
        ({"sources": ()}, False),
        ({"text": "Ask ana@example.com."}, False),
        ({"provider": "openrouter"}, False),  # not who is asked now: written in a model's place while it was away
    ],
)
def test_only_answers_from_shared_knowledge_are_kept(change: dict[str, Any], kept: bool) -> None:
    assert kept_answers.may_be_kept(dataclasses.replace(ANSWER, **change), "offline") is kept


def test_a_kept_answer_comes_back_whole() -> None:
    assert kept_answers.decode(kept_answers.encode(ANSWER)) == ANSWER


@given(st.binary(max_size=200))
def test_anything_else_in_the_cache_is_a_miss(kept: bytes) -> None:
    assert kept_answers.decode(kept) is None


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
