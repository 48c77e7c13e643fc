"""Precision and recall on the labelled texts, on the half that was tuned with and on the half that was not."""

from collections import Counter

import pytest

from genai_app.privacy import Entity, Finding
from genai_app.privacy.evaluation import TOTAL, Source, Split, evaluate, load, parse, rows

GOALS = [
    pytest.param("labelled", "tuning", 0.995, 0.97, 0.95, id="labelled, tuned with"),
    pytest.param("labelled", "held_out", 0.995, 0.97, 0.95, id="labelled, held out"),
    pytest.param("obfuscated", "tuning", 0.99, 0.97, 0.95, id="obfuscated, tuned with"),
    pytest.param("obfuscated", "held_out", 0.985, 0.97, 0.95, id="obfuscated, held out"),
]


@pytest.mark.parametrize(("source", "split", "recall", "precision", "each"), GOALS)
def test_the_goals_are_met(source: Source, split: Split, recall: float, precision: float, each: float) -> None:
    scores = evaluate(load(source, split))
    assert scores[TOTAL].recall >= recall, rows(scores)
    assert scores[TOTAL].precision >= precision, rows(scores)
    assert min(score.recall for score in scores.values()) >= each, rows(scores)


def test_there_are_enough_texts_of_every_kind_and_enough_without_personal_data() -> None:
    texts = load("labelled")
    labels = Counter(finding.entity for text in texts for finding in text.labels)
    assert len(texts) >= 2_000
    assert len({text.text for text in texts}) == len(texts)
    assert sum(not text.labels for text in texts) >= 250
    assert {text.language for text in texts} == {"en", "pt"}
    assert min(labels[entity] for entity in Entity) >= 40
    assert len(load("obfuscated")) >= 500


@pytest.mark.parametrize("source", ["labelled", "obfuscated"])
def test_the_halves_share_no_text(source: Source) -> None:
    tuning, held_out = ({text.text for text in load(source, split)} for split in ("tuning", "held_out"))
    assert not tuning & held_out
    assert len(held_out) > 0.35 * (len(tuning) + len(held_out))


def test_a_score_counts_right_wrong_missed_and_leaked() -> None:
    texts = [
        parse("⟦CPF:529.982.247-25⟧ ⟦EMAIL:a@b.com⟧", "tuning", "en"),
        parse("⟦PHONE:3456-7890⟧", "tuning", "en"),
    ]
    answers = {
        texts[0].text: (Finding(0, 14, Entity.CPF), Finding(15, 22, Entity.PHONE)),
        texts[1].text: (),
    }
    scores = evaluate(texts, answers.__getitem__)
    assert rows(scores) == (
        ("EMAIL", 0, 0, 1, 0, 1.0, 0.0),
        ("PHONE", 0, 1, 1, 1, 0.0, 0.0),
        ("CPF", 1, 0, 0, 0, 1.0, 1.0),
        (TOTAL, 1, 1, 2, 1, 0.5, 1 / 3),
    )


def test_a_bracket_more_or_less_is_not_an_error() -> None:
    text = parse("tel (⟦PHONE:11) 98765-4321⟧", "tuning", "pt")
    scores = evaluate([text])
    assert (scores[Entity.PHONE].right, scores[Entity.PHONE].wrong) == (1, 0)
