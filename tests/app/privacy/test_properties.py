"""Promises for every text, not only for the labelled ones."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai_app.privacy import find, mask, mask_json
from genai_app.privacy.evaluation import LabelledText, load

LABELLED = load("labelled", "tuning")
PERSONAL = [text for text in LABELLED if text.labels]
VALUES = sorted({text.text[label.start : label.end] for text in PERSONAL for label in text.labels})
IMPERSONAL = [text.text for text in LABELLED if not text.labels]
WORDS = "cpf cnpj cnh ssn vin chassi placa plate cep tel call cartão iban renavam pedido código para"

any_text = st.text(st.characters(exclude_categories=()), max_size=300)
crowded = st.lists(
    st.one_of(
        st.sampled_from(VALUES),
        st.sampled_from([" ", ".", "-", "/", ", ", "\n", "@", " at ", " dot ", "+", "00", "(", ")", "[", "]", "[CPF]"]),
        st.sampled_from(WORDS.split()),
        st.text(string.digits + string.ascii_letters, max_size=6),
        st.sampled_from(["\u200b", "\u202e", "\x00", "\ud800", "٣", "５", "é", "🚗"]),
    ),
    max_size=25,
).map("".join)
texts = any_text | crowded
nested = st.recursive(texts | st.integers() | st.none(), st.lists, max_leaves=5)

untimed = settings(deadline=None)  # test_linear_time.py looks at the time


@untimed
@given(texts)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@untimed
@given(texts)
def test_spans_are_ordered_within_the_text_and_do_not_overlap(text: str) -> None:
    places = [place for finding in find(text) for place in (finding.start, finding.end)]
    assert places == sorted(places)
    assert all(finding.start < finding.end for finding in find(text))
    assert not places or (places[0] >= 0 and places[-1] <= len(text))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(PERSONAL), st.sampled_from(IMPERSONAL), st.sampled_from(IMPERSONAL))
def test_nothing_of_a_planted_value_stays_readable_between_other_sentences(
    planted: LabelledText, before: str, behind: str
) -> None:
    text = f"{before}\n{planted.text}\n{behind}"
    masked = {place for finding in find(text) for place in range(finding.start, finding.end)}
    for label in planted.labels:
        places = range(label.start + len(before) + 1, label.end + len(before) + 1)
        assert "".join(text[place] for place in places if place not in masked and text[place].isalnum()) == ""


@untimed
@given(st.dictionaries(st.text(max_size=10), nested, max_size=3))
def test_nested_values_are_masked_once_and_for_all(record: dict[str, object]) -> None:
    masked = mask_json(record)
    assert mask_json(masked) == masked
    assert list(masked) == list(record)


@pytest.mark.parametrize(
    "piece", ["\ud800", "\x00", "\u202e1", "ﷺ", "1\u0301", "A1", "[CPF]", "@", "５", "52998224725 "]
)
def test_eight_thousand_characters_of_anything_are_survived(piece: str) -> None:
    masked = mask((piece * 8_000)[:8_000])
    assert mask(masked) == masked
