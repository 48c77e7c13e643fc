"""The symptom trees that ship: complete, in both languages, each found by its own words and walked to an end."""

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genai_app.agents.troubleshoot.replies import Reply
from genai_app.agents.troubleshoot.tree import SCHEMA, TREES, Tree, load_trees, phrase_concepts, schema
from genai_app.agents.troubleshoot.walk import Place, begin, fitting, next_node
from genai_app.rag.ingestion import seed_documents

FOLDER = resources.files("genai_app.agents.troubleshoot").joinpath("trees")
FILES = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".yaml"))
WORDS = {Reply.YES: "yes", Reply.NO: "não", Reply.UNKNOWN: "I don't know"}


def content(name: str) -> Any:
    return yaml.safe_load(FOLDER.joinpath(name).read_text(encoding="utf-8"))


def a_tree(**changes: Any) -> dict[str, Any]:
    text = {"en": "Yes?", "pt": "Sim?"}
    found = {"severity": "low", "requires_professional": False, "causes": [text], "actions": [text]}
    tree = {
        "name": "tree",
        "title": text,
        "sections": ["Strange noises"],
        "symptoms": ["noise"],
        "start": "one",
        "questions": {"one": {"ask": text, "if_yes": "a", "if_no": "b"}},
        "diagnoses": {"a": found, "b": found},
    }
    return {**tree, **changes}


def test_there_is_a_tree_for_every_symptom_of_the_reference_and_more() -> None:
    assert {"engine_warning_light", "brake_issues", "starting_problems", "overheating", "strange_noises"} < set(TREES)
    assert [f"{name}.yaml" for name in sorted(TREES)] == FILES
    assert len(FILES) >= 8


def test_the_schema_beside_the_trees_is_the_one_of_the_models() -> None:
    assert FOLDER.joinpath(SCHEMA).read_text(encoding="utf-8") == schema()


@pytest.mark.parametrize("name", FILES)
def test_every_file_fits_the_schema(name: str) -> None:
    jsonschema.validate(content(name), json.loads(schema()))


@pytest.mark.parametrize("name", TREES)
def test_every_symptom_of_a_tree_begins_it(name: str) -> None:
    trees = load_trees()
    for symptom in trees[name].symptoms:
        found = fitting(trees, symptom)
        assert found is not None, symptom
        assert found.name == name, symptom


def test_every_section_that_a_tree_restates_is_in_the_manuals() -> None:
    headings = {line.lstrip("# ") for document in seed_documents() for line in document.text.splitlines()}
    assert {section for tree in load_trees().values() for section in tree.sections} <= headings


@pytest.mark.parametrize("name", TREES)
def test_no_phrase_fits_every_message(name: str) -> None:
    tree = load_trees()[name]
    phrases = [*tree.symptoms, *tree.never, *(said for question in tree.questions.values() for said in question.said)]
    assert all(phrase_concepts(phrase) for phrase in phrases)


@pytest.mark.parametrize("name", TREES)
def test_who_must_not_drive_on_is_warned_and_sent_to_a_workshop(name: str) -> None:
    for diagnosis in load_trees()[name].diagnoses.values():
        if diagnosis.severity == "critical":
            assert diagnosis.warning is not None
            assert diagnosis.requires_professional


@given(st.sampled_from(TREES), st.lists(st.sampled_from(list(WORDS)), min_size=12, max_size=12))
def test_whatever_is_answered_the_walk_ends_at_a_diagnosis(name: str, replies: list[Reply]) -> None:
    tree = load_trees()[name]
    place = Place(tree.name, tree.start, "en")
    for reply in replies:
        if place.node in tree.diagnoses:
            break
        place = next_node(tree, place, WORDS[reply])
        assert not place.misunderstood
    assert place.node in tree.diagnoses


@given(st.sampled_from(TREES), st.lists(st.text(max_size=80), max_size=6))
def test_any_words_leave_the_dialogue_at_a_place_that_exists_and_can_be_kept(name: str, messages: list[str]) -> None:
    trees = load_trees()
    tree = trees[name]
    place = begin(tree, "", "pt")
    for message in messages:
        if place.node in tree.diagnoses:
            break
        assert Place.of_state(json.loads(json.dumps(place.as_state())), trees) == place
        place = next_node(tree, place, message)
    assert place.node in tree.questions.keys() | tree.diagnoses.keys()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"start": "nowhere"}, "start leads to 'nowhere'"),
        ({"diagnoses": {**a_tree()["diagnoses"], "c": a_tree()["diagnoses"]["a"]}}, r"nothing leads to \['c'\]"),
        ({"questions": {"one": {**a_tree()["questions"]["one"], "if_no": "one"}}}, "round in circles"),
        (
            {"questions": {"one": {**a_tree()["questions"]["one"], "if_yes": "b", "if_no": "gone"}}},
            "'gone', which does",
        ),
        ({"diagnoses": {**a_tree()["diagnoses"], "one": a_tree()["diagnoses"]["a"]}}, "name them apart"),
        ({"symptoms": []}, "at least 1 item"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_broken_tree_is_refused_in_words(changes: dict[str, Any], problem: str) -> None:
    Tree.model_validate(a_tree())
    with pytest.raises(ValidationError, match=problem):
        Tree.model_validate(a_tree(**changes))
