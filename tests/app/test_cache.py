"""Which questions share an answer, which answers may be shared, and under which key; plain values."""

import dataclasses
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.agents.conversation import Answer, Routing, Source, ToolUse
from genai_app.cache import Scope, answer_key, normalised
from genai_app.chat import kept_answers
from genai_app.same_question import subject
from genai_app.semantic_cache import nearest, packed

ANSWER = Answer(
    text="SAE 5W-30, API SN.",
    agent="specs",
    confidence=0.9,
    sources=(Source("specs.md", "Engine > Oil", "spec", 0.91),),
    routing=Routing("specs", 0.8, "embedding_margin", rerouted=False),
    cost_usd=Decimal("0.0012"),
    state={"tree": "brakes", "asked": ["squeal"]},
)
SCOPE = Scope(build="1", model="offline/m", prompts="p", knowledge_base="7")


@pytest.mark.parametrize(
    "same",
    ["which oil does it take", "Which  oil does it take?", "WHICH OIL\nDOES IT TAKE?!", " Which oil does it take ? "],
)
def test_questions_that_mean_the_same_letter_by_letter_share_a_key(same: str) -> None:
    assert answer_key(same, SCOPE) == answer_key("Which oil does it take?", SCOPE)


@pytest.mark.parametrize("part", [field.name for field in dataclasses.fields(Scope)])
def test_everything_that_shapes_an_answer_is_in_the_key(part: str) -> None:
    assert answer_key("oil?", SCOPE) != answer_key("oil?", dataclasses.replace(SCOPE, **{part: "other"}))


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
        ({"agent": "maintenance"}, False),  # in the middle of a booking
        ({"agent": "maintenance", "state": {}}, True),
        ({"sources": ()}, False),
        ({"answered": False}, False),
        ({"handoff_reason": "complex_issue"}, False),
        ({"tools": (ToolUse("free_slots", {}, []),)}, False),
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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("How often must the engine oil be changed?", "What is the oil change interval?"),
        ("How big is the boot?", "What is the boot volume?"),
        ("The car doesn't start when it is cold, why?", "Why won't the engine start when cold?"),
        ("Qual a pressão dos pneus?", "Qual é a calibragem recomendada dos pneus?"),
    ],
)
def test_two_wordings_have_one_subject(first: str, second: str) -> None:
    about = subject(first)
    assert about is not None
    assert about == subject(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What is the pressure of the front tyres?", "What is the pressure of the rear tyres?"),
        ("How many hp with gasoline?", "How many hp with ethanol?"),
        ("What is done at the 10,000 km service?", "What is done at the 20,000 km service?"),
        ("The left window does not open", "The right window does not open"),
        ("The window does not open", "The window does open"),
        ("What does the warranty cover?", "What does the warranty cover in Chile?"),
        ("When is my service?", "When is the service?"),
        ("Is petrol cheaper than ethanol?", "Is ethanol cheaper than petrol?"),
        ("What is the torque?", "Qual o torque?"),
        ("Which colours does the GenAuto X1 have?", "Which colours does the GenAuto X2 have?"),
    ],
)
def test_what_makes_another_answer_makes_another_subject(first: str, second: str) -> None:
    one, other = subject(first), subject(second)
    assert one is not None
    assert other is not None
    assert one.digest != other.digest


@pytest.mark.parametrize("text", ["", "?", "🚗", "Hello!", "x" * 8000, "oil " * 2000, "\0", "how often?", "qzx wvut"])
def test_what_is_about_nothing_known_resembles_nothing(text: str) -> None:
    assert subject(text) is None


@given(st.text(max_size=300))
def test_a_subject_follows_from_the_question_alone(text: str) -> None:
    assert subject(text) == subject(text)


def test_the_nearest_entry_wins_and_a_far_or_foreign_one_is_none() -> None:
    vector = np.zeros(768, dtype=np.float32)
    vector[0] = 1
    near, far = vector.copy(), np.roll(vector, 5)
    near[1] = 0.1
    near /= np.linalg.norm(near)
    keys = [answer_key(text, SCOPE) for text in ("near", "far", "exact")]
    entries = [packed(keys[1], far), packed(keys[0], near), b"garbage", b"", packed(keys[2], vector)[:-1]]
    assert nearest(vector, entries, 0.9) == keys[0]
    assert nearest(vector, [*entries, packed(keys[2], vector)], 0.9) == keys[2]
    assert nearest(vector, entries, 0.9999) is None
    assert nearest(vector, [], 0) is None
