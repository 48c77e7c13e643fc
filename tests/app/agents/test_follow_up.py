"""A question that leans on the one before it is understood with it; any other stands alone."""

import pytest

from genai_app.agents.conversation import HistoryMessage, Question
from genai_app.agents.follow_up import standalone

OIL = (
    HistoryMessage("user", "Which oil does it take?"),
    HistoryMessage("assistant", "5W-30.", agent="specs"),
)


@pytest.mark.parametrize(
    "text",
    [
        "And how often must it be changed?",
        "How often is it replaced?",
        "How often?",
        "What about the brake fluid?",
        "E quando troco?",
        "E o fluido de freio?",
        "Com que frequência isso é trocado?",
    ],
)
def test_a_follow_up_is_searched_together_with_its_topic(text: str) -> None:
    whole = standalone(Question(text, OIL))
    assert whole.text == f"Which oil does it take? {text}"
    assert "oil" in whole.topic


@pytest.mark.parametrize(
    "text",
    [
        "How many airbags does it have?",
        "When must the timing belt be replaced?",
        "Quantos airbags ele tem?",
        "The engine overheats",
    ],
)
def test_a_question_that_names_its_thing_stands_alone(text: str) -> None:
    whole = standalone(Question(text, OIL))
    assert whole.text == text
    assert whole.topic == ()


def test_a_chain_of_follow_ups_reaches_back_to_what_they_are_about() -> None:
    history = (*OIL, HistoryMessage("user", "And how often?"), HistoryMessage("assistant", "Every 10,000 km."))
    whole = standalone(Question("How is it checked?", history))
    assert whole.text == "Which oil does it take? And how often? How is it checked?"
    assert {"oil", "?interval"} <= set(whole.topic)


def test_without_history_there_is_nothing_to_lean_on() -> None:
    assert standalone(Question("And how often must it be changed?", ())).topic == ()
