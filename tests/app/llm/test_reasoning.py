"""What a model thinks never reaches the customer, however its text is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.llm.reasoning import ReasoningFilter, thinks_before_it_speaks, without_reasoning

SAID = [
    ("<think>Let me see.</think>It takes 5W-30.", "It takes 5W-30."),
    ("<thinking>a</thinking> b <think>c</think> d", "b  d"),
    ("It takes 5W-30.<think>or not", "It takes 5W-30."),
    ("It takes 5W-30. <think>or not</THINK>\n", "It takes 5W-30."),
    ("It takes 5W-30.", "It takes 5W-30."),
    ("  5 < 6 and <thin> is no tag <thinkin", "5 < 6 and <thin> is no tag <thinkin"),
    ("<think>a<think>b</think>c", "c"),
]
UNOPENED = ("The user wants oil.</think>\n\nIt takes 5W-30.", "It takes 5W-30.")

pieces_of_text = st.sampled_from(
    ["<think>", "</think>", "<thinking>", "</thinking>", "<", "think", ">", " ", "a", "\n"]
)


def filtered(pieces: list[str], *, hold: bool = False) -> str:
    """What a reader of the stream has seen at its end."""
    reasoning = ReasoningFilter(hold=hold)
    return "".join([*map(reasoning.feed, pieces), reasoning.finish()])


@pytest.mark.parametrize(("text", "said"), [*SAID, UNOPENED])
def test_reasoning_is_kept_out_of_a_whole_text(text: str, said: str) -> None:
    assert without_reasoning(text) == said


@pytest.mark.parametrize(("text", "said"), SAID)
@pytest.mark.parametrize("hold", [False, True])
def test_reasoning_is_kept_out_of_a_stream_of_single_characters(text: str, said: str, hold: bool) -> None:
    assert filtered(list(text), hold=hold) == said


def test_a_model_that_begins_in_its_reasoning_is_heard_from_the_end_of_it() -> None:
    text, said = UNOPENED
    assert filtered(list(text), hold=True) == said


def test_text_beside_a_reasoning_field_is_not_held_back() -> None:
    reasoning = ReasoningFilter(hold=True)
    assert reasoning.feed("It") == ""
    reasoning.separated()
    assert reasoning.feed(" takes") == "It takes"


@given(st.lists(pieces_of_text, max_size=14))
def test_the_borders_between_pieces_change_nothing(pieces: list[str]) -> None:
    text = "".join(pieces)
    if text.count("</think") <= 1:  # text that was shown cannot be taken back by a second closing tag
        assert filtered(pieces, hold=True) == filtered(list(text), hold=True)


@given(st.lists(pieces_of_text, max_size=14))
def test_a_stream_ends_with_the_text_of_the_whole(pieces: list[str]) -> None:
    text = "".join(pieces)
    if text.count("</think") <= 1:
        assert filtered(pieces, hold=True) == without_reasoning(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_stands_in_a_think_block_is_gone(thought: str, said: str) -> None:
    secret = "0secret0"
    assert secret not in without_reasoning(f"<think>{thought}{secret}{thought}</think>{said}")
    assert secret not in filtered(list(f"<think>{thought.replace('<', '')}{secret}</think>{said}"))


@pytest.mark.parametrize(
    ("model", "does"),
    [
        ("tngtech/deepseek-r1t2-chimera:free", True),
        ("qwen/qwq-32b", True),
        ("qwen/qwen3-30b-a3b-thinking-2507", True),
        ("openai/gpt-4o-mini", False),
        ("meta-llama/llama-3.1-8b-instruct:free", False),
    ],
)
def test_models_that_think_first_are_known_by_their_names(model: str, does: bool) -> None:
    assert thinks_before_it_speaks(model) is does
