"""A model's marker for "not in the manuals" is never shown, wherever its reply is cut into pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.agents.marker import HELD_AT_FIRST, Held
from genai_app.agents.profiles import NOT_IN_MANUALS


def shown(pieces: list[str]) -> tuple[str, bool]:
    held = Held()
    text = "".join([*(held.push(piece) for piece in pieces), held.rest()])
    return text, held.found


def cut(text: str, at: list[int]) -> list[str]:
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    return [text[a:b] for a, b in pairwise(places)]


@given(st.lists(st.integers(0, 200), max_size=8), st.text(max_size=120))
def test_a_reply_without_the_marker_is_shown_whole(at: list[int], text: str) -> None:
    if NOT_IN_MANUALS not in text:
        assert shown(cut(text, at)) == (text.lstrip(), False)


@given(st.lists(st.integers(0, 200), max_size=8), st.sampled_from(["", " ", '"', "`", "**", "I fear: "]))
def test_a_reply_that_is_the_marker_shows_nothing(at: list[int], before: str) -> None:
    assert shown(cut(f"{before}{NOT_IN_MANUALS}.", at)) == ("", True)


@given(st.lists(st.integers(0, 200), max_size=8))
def test_a_marker_after_a_sentence_is_left_out_and_counted(at: list[int]) -> None:
    before = "The manuals give no colours for this model. "
    text, found = shown(cut(f"{before}{NOT_IN_MANUALS}", at))
    assert NOT_IN_MANUALS not in text
    assert found
    assert text in {before, ""}


def test_a_sentence_that_cannot_be_the_marker_is_shown_as_it_comes() -> None:
    held = Held()
    assert held.push("x" * (HELD_AT_FIRST - 1)) == ""
    assert held.push("yz") == "x" * (HELD_AT_FIRST - 1) + "yz"
    assert held.push(" more") == " more"


@pytest.mark.parametrize("length", range(1, len(NOT_IN_MANUALS)))
def test_the_beginning_of_a_marker_waits(length: int) -> None:
    held = Held()
    held.push("x" * HELD_AT_FIRST)
    assert held.push(NOT_IN_MANUALS[:length]) == ""
    assert held.push("!") == NOT_IN_MANUALS[:length] + "!"
