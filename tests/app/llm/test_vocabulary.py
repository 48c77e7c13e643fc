"""Words become concepts that English and Portuguese share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.llm.vocabulary import ACTIONS, ANSWER_SHAPES, PROCEDURE, concepts, language, vocabulary, words

PAIRS = [
    ("When must the timing belt be replaced?", "Quando devo trocar a correia dentada?"),
    ("How many airbags does the car have?", "Quantos airbags tem o carro?"),
    ("tyre pressure with full load", "calibragem dos pneus com carga máxima"),
    ("The brake pedal is soft", "O pedal de freio está mole"),
    ("smoke from the exhaust", "fumaça do escapamento"),
]


@pytest.mark.parametrize(("english", "portuguese"), PAIRS)
def test_both_languages_mean_the_same_concepts(english: str, portuguese: str) -> None:
    assert set(concepts(english)) == set(concepts(portuguese))


@pytest.mark.parametrize(("english", "portuguese"), PAIRS)
def test_the_language_is_recognised(english: str, portuguese: str) -> None:
    assert (language(english), language(portuguese)) == ("en", "pt")


def test_a_longer_phrase_wins_over_its_words() -> None:
    assert concepts("brake fluid") == ("brake fluid",)
    assert concepts("fluid of the brake") == ("liquid", "brake")


@pytest.mark.parametrize("text", ["10,000 km", "10.000 km", "10000 km"])
def test_thousands_are_one_number_however_written(text: str) -> None:
    assert "10000" in concepts(text)


def test_every_cue_and_action_of_the_code_is_in_the_table() -> None:
    named = set(vocabulary().english)
    assert {*ANSWER_SHAPES, PROCEDURE} == {name for name in named if name.startswith("?")}
    assert named >= ACTIONS


@given(st.text(max_size=200))
def test_any_text_has_concepts_without_surprises(text: str) -> None:
    found = concepts(text)
    assert len(found) == len(set(found))
    assert all(found)


@given(st.text(max_size=200))
def test_words_are_safe_for_the_full_text_search(text: str) -> None:
    assert all(character.isalnum() or character in "/.," for word in words(text) for character in word)
