"""Who gets a person: danger, a wish, a matter of law; and what is none of these, in English and Portuguese."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.handoff.phrases import pattern, sentences, tables
from genai_app.handoff.policy import (
    FAILURES_IN_A_ROW,
    ON_WORDS,
    HandoffReason,
    decide_on_confidence,
    decide_on_diagnosis,
    decide_on_words,
    failures_in_a_row,
)

LABELLED = [
    json.loads(line) for line in Path(__file__).with_name("labelled.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("row", LABELLED, ids=lambda row: row["text"])
def test_each_labelled_sentence_has_its_reason(row: dict[str, str | None]) -> None:
    assert decide_on_words(row["text"] or "") == row["reason"]


def test_the_labelled_sentences_are_many_and_of_every_kind() -> None:
    counts = Counter(row["reason"] for row in LABELLED)
    assert len({row["text"] for row in LABELLED}) == len(LABELLED) >= 290
    assert min(counts.values()) >= 40
    assert set(counts) == {None, *ON_WORDS}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("My brakes failed, I had an accident, get me a human", HandoffReason.SAFETY_CONCERN),
        ("I want to talk to an agent about the accident", HandoffReason.USER_REQUEST),
        ("I had an accident", HandoffReason.SENSITIVE_TOPIC),
    ],
)
def test_danger_goes_before_a_wish_and_a_wish_before_a_matter_of_law(text: str, reason: HandoffReason) -> None:
    assert decide_on_words(text) is reason


@pytest.mark.parametrize("row", [row for row in LABELLED if row["reason"]][::7], ids=lambda row: row["text"])
def test_case_accents_spaces_and_surroundings_change_nothing(row: dict[str, str]) -> None:
    assert decide_on_words(f"Hello.\n  {row['text'].upper()}\n\nThanks") == row["reason"]
    assert decide_on_words(row["text"].replace("ã", "a\u0303").replace("'", "’")) == row["reason"]


@pytest.mark.parametrize("reason", ON_WORDS)
def test_no_reason_hides_inside_a_longer_word(reason: HandoffReason) -> None:
    hidden = {
        HandoffReason.SAFETY_CONCERN: "We misfired; the firewalls and smokestacks of the fuelling company fell",
        HandoffReason.USER_REQUEST: "The agents' representativeness was inhuman and personal",
        HandoffReason.SENSITIVE_TOPIC: "This issue is illegal: a tissue pursued accidentally",
    }
    assert decide_on_words(hidden[reason]) is None


@given(st.text(max_size=300))
def test_any_text_gets_a_decision(text: str) -> None:
    assert decide_on_words(text) in {None, *ON_WORDS}


@pytest.mark.parametrize(
    "word", ["brake ", "smoke smell ", "not ", "can i talk to the ", "o freio nao ", "'s", "é", ". "]
)
def test_the_longest_message_takes_no_longer_than_a_moment(word: str) -> None:
    text = (word * 8000)[:8000]
    started = time.process_time()
    decide_on_words(text)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("confidence", "reason"),
    [(0.0, HandoffReason.LOW_CONFIDENCE), (0.699, HandoffReason.LOW_CONFIDENCE), (0.7, None), (1.0, None)],
)
def test_only_a_confidence_strictly_below_the_threshold_is_too_low(
    confidence: float, reason: HandoffReason | None
) -> None:
    assert decide_on_confidence(confidence, 0.7) is reason


def test_a_threshold_of_zero_switches_the_handoff_off_and_one_hands_off_all_but_certainty() -> None:
    assert decide_on_confidence(0.0, 0.0) is None
    assert decide_on_confidence(0.999, 1.0) is HandoffReason.LOW_CONFIDENCE


def test_unsure_answers_in_a_row_are_a_failure_of_the_conversation() -> None:
    before = [decide_on_confidence(0.1, 0.7, earlier_failures=n) for n in range(FAILURES_IN_A_ROW)]
    assert before == [HandoffReason.LOW_CONFIDENCE] * (FAILURES_IN_A_ROW - 1) + [HandoffReason.REPEATED_FAILURE]
    assert decide_on_confidence(0.9, 0.7, earlier_failures=9) is None


@pytest.mark.parametrize(
    ("confidences", "failures"),
    [([], 0), ([0.1], 1), ([0.1, 0.9], 0), ([0.9, 0.1, 0.69], 2), ([0.1, None, 0.1], 1), ([0.7], 0)],
)
def test_only_the_latest_unsure_answers_count(confidences: list[float | None], failures: int) -> None:
    assert failures_in_a_row(confidences, 0.7) == failures


def test_a_diagnosis_that_forbids_driving_and_needs_a_workshop_is_a_complex_issue() -> None:
    assert decide_on_diagnosis(requires_professional=True, safety_warning="Stop.") is HandoffReason.COMPLEX_ISSUE
    assert decide_on_diagnosis(requires_professional=True, safety_warning=None) is None
    assert decide_on_diagnosis(requires_professional=False, safety_warning="Stop.") is None


def test_a_sentence_that_says_they_continues_the_one_before() -> None:
    assert sentences("My brakes! They don't work. The radio does.") == [
        "my brakes they do not work ",
        "the radio does ",
    ]


@pytest.mark.parametrize("slot", ["Brake", "freio_não", "a||b", "*", "(a)", "?"])
def test_a_phrase_outside_the_notation_is_refused(slot: str) -> None:
    with pytest.raises(ValueError, match="is no slot"):
        pattern(slot)


def test_every_reason_that_words_can_give_has_a_table() -> None:
    assert set(tables()) == set(ON_WORDS)
