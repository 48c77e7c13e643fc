"""Passages keep the headings that say what they are about, and lose no word."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.rag.ingestion import SEED_TYPES, seed_documents
from genai_app.rag.splitting import LONGEST_PASSAGE, Passage, split

TEXT = """# Manual

Read this first.

## Service

### At 40,000 km

- Replace the spark plugs.
- Replace the fuel filter.

## Tyres
Check the pressure.
"""


def test_a_passage_carries_the_path_of_its_headings() -> None:
    assert split(TEXT) == (
        Passage("Manual", "Read this first."),
        Passage("Manual > Service > At 40,000 km", "- Replace the spark plugs.\n- Replace the fuel filter."),
        Passage("Manual > Tyres", "Check the pressure."),
    )


def test_what_is_embedded_begins_with_the_headings() -> None:
    assert split(TEXT)[1].embedded_text.startswith("Manual > Service > At 40,000 km\n- Replace the spark plugs.")


def test_a_text_without_headings_is_split_by_length_and_keeps_every_sentence() -> None:
    sentences = [f"Sentence number {number} says something about the car." for number in range(100)]
    passages = split(" ".join(sentences))
    assert len(passages) > 1
    assert all(len(passage.text) <= LONGEST_PASSAGE and passage.heading == "" for passage in passages)
    assert all(any(sentence.split(".")[0] in passage.text for passage in passages) for sentence in sentences)


@pytest.mark.parametrize("text", ["", " \n\t", "# Only a title", "# A\n## B\n"])
def test_a_text_without_a_word_below_its_headings_has_no_passages(text: str) -> None:
    assert split(text) == ()


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_any_text_splits_into_bounded_passages(text: str) -> None:
    assert all(0 < len(passage.text) <= LONGEST_PASSAGE for passage in split(text))


def test_the_seed_documents_are_complete_and_each_passage_knows_its_section() -> None:
    documents = seed_documents()
    assert {document.source: document.document_type for document in documents} == SEED_TYPES
    passages = [passage for document in documents for passage in split(document.text)]
    assert 80 <= len(passages) <= 100
    assert all(passage.heading.startswith("GenAuto X1 2024") for passage in passages)


@pytest.mark.parametrize(
    "fact",
    [
        "999 cc", "128 hp with petrol", "116 hp with ethanol", "200 Nm", "6-speed automatic", "4,199 mm", "1,760 mm",
        "1,568 mm", "2,651 mm", "373 litres", "1,239 kg", "50 litres", "750 kg", "205/60 R16", "32 psi", "35 psi",
        "5W-30", "API SN", "4.2 litres", "every 10,000 km or 12 months", "timing belt every 100,000 km",
        "3 years or 60,000 miles", "6 airbags", "ISOFIX", "20 mph",
    ],
)  # fmt: skip
def test_the_seed_documents_hold_the_facts_of_the_car(fact: str) -> None:
    assert fact in " ".join(re.sub(r"\s+", " ", document.text) for document in seed_documents())
