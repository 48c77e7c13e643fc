"""The lines that answer are quoted; what the passages do not hold is reported, never filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.llm.chat_model import ChatRequest, Evidence
from genai_app.llm.extraction import extract, parts
from genai_app.llm.offline import NOT_FOUND, OfflineModel
from genai_app.llm.vocabulary import concepts, things

FLUIDS = Evidence(
    "Specifications > Fluids",
    "- Engine oil: SAE 5W-30, API SN; 4.2 litres.\n- Brake fluid: DOT 4.\n- Coolant: OAT.",
)
OIL = Evidence(
    "Maintenance > Engine oil and filter",
    "- Change the engine oil every 10,000 km or 12 months.\n- Check the oil level every 1,000 km.",
)
PHONE = Evidence(
    "Features > Pairing a phone",
    "1. Switch on Bluetooth.\n2. Open Settings,\n   Phones.\n3. Confirm the code.",
)
PAINT = Evidence("FAQ > Colours", "Polar White and Night Black. Night Black is metallic.")
EVERYTHING = (FLUIDS, OIL, PHONE, PAINT)


def test_each_part_of_a_question_gets_its_own_lines() -> None:
    found = extract("Which engine oil does it take, and how often is it changed?", (), EVERYTHING)
    assert found.lines == (
        "Engine oil: SAE 5W-30, API SN; 4.2 litres.",
        "Change the engine oil every 10,000 km or 12 months.",
    )
    assert found.passages == (0, 1)
    assert found.missing_parts == 0


def test_a_part_without_an_answer_is_missing_and_the_other_is_answered() -> None:
    found = extract("Which brake fluid is used, and how many speakers are there?", (), EVERYTHING)
    assert found.lines == ("Brake fluid: DOT 4.",)
    assert found.missing_parts == 1


def test_numbered_steps_are_quoted_whole_and_in_order() -> None:
    assert extract("How do I pair my phone?", (), EVERYTHING).lines == (
        "Switch on Bluetooth.",
        "Open Settings, Phones.",
        "Confirm the code.",
    )


def test_sentences_are_lines_too() -> None:
    assert extract("Is Night Black metallic?", (), EVERYTHING).lines == ("Night Black is metallic.",)


@pytest.mark.parametrize("question", ["", "?", "And?", "Hello!", "Who won the world cup?", "What does it cost?"])
def test_nothing_is_quoted_for_what_the_passages_do_not_hold(question: str) -> None:
    assert extract(question, (), EVERYTHING).lines == ()


def test_without_evidence_there_is_no_answer() -> None:
    assert extract("Which oil?", (), ()).lines == ()


@pytest.mark.parametrize(
    ("question", "earlier", "line"),
    [
        ("And how often must it be changed?", "Which oil does it take?", OIL),
        ("E de quanto em quanto tempo troca?", "Qual óleo usa?", OIL),
        ("And the brake fluid?", "Which engine oil does it take?", FLUIDS),
    ],
)
def test_a_follow_up_is_about_what_came_before(question: str, earlier: str, line: Evidence) -> None:
    found = extract(question, concepts(earlier), EVERYTHING)
    assert found.passages == (EVERYTHING.index(line),)


def test_an_action_alone_inherits_the_thing_and_a_thing_alone_the_question() -> None:
    [action] = parts("how often is it replaced?", concepts("timing belt"))
    assert dict(action.weights).keys() == {"replace", "timing belt"}
    [thing] = parts("and the coolant?", concepts("how often is the timing belt replaced?"))
    assert dict(thing.weights).keys() == {"coolant", "replace"}
    assert thing.shapes == ("?interval",)


def test_things_are_neither_cues_nor_actions() -> None:
    assert things(concepts("How often must the timing belt be replaced?")) == ("timing belt",)


passages = st.lists(
    st.builds(Evidence, st.sampled_from(["A > Oil", "B > Brakes", "C"]), st.text(max_size=120)), max_size=4
)


@given(st.text(max_size=120), passages)
def test_every_quoted_line_stands_in_the_evidence(question: str, evidence: list[Evidence]) -> None:
    said = {word for passage in evidence for word in passage.text.split()}
    for line in extract(question, (), evidence).lines:
        assert set(line.split()) <= said


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is the capital of France?", NOT_FOUND["en"]),
        ("Qual é a capital da Argentina?", NOT_FOUND["pt"]),
        (
            "Qual fluido de freio usa, e quantos alto-falantes tem?",
            "Os manuais dizem (em inglês):\n- Brake fluid: DOT 4.\n\n"
            "Não encontrei resposta para a outra parte da sua pergunta.",
        ),
    ],
)
async def test_the_offline_model_speaks_the_language_of_the_question(question: str, text: str) -> None:
    request = ChatRequest(messages=(), question=question, evidence=EVERYTHING, agent="specs", temperature=0.1)
    completion = await OfflineModel().complete(request)
    assert completion.text == text
    assert completion.answered == (text not in NOT_FOUND.values())
    assert (completion.model, completion.tokens_in, completion.tokens_out) == ("extractive", 0, 0)
