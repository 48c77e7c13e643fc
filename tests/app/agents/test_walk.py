"""What a message means at a question of a tree: no question is asked that was answered, no danger is passed over."""

import time
from typing import Any

import pytest

from genai_app.agents.troubleshoot.plan import Move, confidence, is_reply, plan
from genai_app.agents.troubleshoot.replies import Reply
from genai_app.agents.troubleshoot.tree import load_trees
from genai_app.agents.troubleshoot.walk import Place, begin, denied, fitting, next_node, told


def at(tree: str, node: str) -> Place:
    return Place(tree, node, "en")


@pytest.mark.parametrize(
    ("message", "tree", "node"),
    [
        ("My brakes make a noise", "brake_issues", "pedal"),
        ("There's a grinding noise when I brake", "brake_issues", "pads_used_up"),
        ("O pedal de freio está mole", "brake_issues", "hydraulics"),
        ("My brakes squeal", "brake_issues", "pedal"),
        ("O carro não liga", "starting_problems", "key"),
        ("O carro não liga e só faz um clique", "starting_problems", "battery_weak"),
        ("The engine is overheating", "overheating", "now"),
        ("Temperature gauge is in the red", "overheating", "puddle"),
        ("A luz da injeção está piscando", "engine_warning_light", "oil"),
        ("The car shakes at 100 km/h", "tyres_vibration", "balance"),
        ("A bateria descarregou", "battery_electrical", "light"),
        ("The transmission slips", "transmission", "slipping"),
        ("O ar-condicionado não gela", "air_conditioning", "switched_on"),
        ("The air conditioning smells musty", "air_conditioning", "evaporator"),
        ("Sinto cheiro de gasolina", "smoke_smells_leaks", "fuel_leak"),
        ("Ouço um estalo quando viro o volante", "strange_noises", "cv_joint"),
    ],
)
def test_a_message_begins_its_tree_where_it_leaves_something_to_ask(message: str, tree: str, node: str) -> None:
    found = fitting(load_trees(), message)
    assert found is not None
    assert (found.name, begin(found, message, "en").node) == (tree, node)


@pytest.mark.parametrize(
    "message",
    ["How many airbags are there?", "Bluetooth has no sound any more", "Which colours can I choose?", "", "?"],
)
def test_a_message_without_a_symptom_begins_none(message: str) -> None:
    assert fitting(load_trees(), message) is None


@pytest.mark.parametrize("message", ["x " * 4000, "my brakes make a noise. " * 330, "not " * 2000])
def test_the_longest_message_takes_no_time(message: str) -> None:
    load_trees()
    began = time.process_time()
    plan(load_trees(), {}, message)
    assert time.process_time() - began < 0.5


def test_what_was_said_at_first_is_not_asked_later() -> None:
    tree = load_trees()["brake_issues"]
    place = begin(tree, "My brakes squeal", "en")
    asked = []
    while place.node in tree.questions:
        asked.append(place.node)
        place = next_node(tree, place, "no")
    assert asked == ["pedal", "red_light", "grinding"]  # each could be critical
    assert place.node == "pads_worn"


def test_a_reply_that_says_more_is_heard() -> None:
    tree = load_trees()["brake_issues"]
    place = next_node(tree, at("brake_issues", "pedal"), "No, but I hear grinding")
    assert place.node == "pads_used_up"
    assert place.answers == {"pedal": Reply.NO, "grinding": Reply.YES}


def test_words_of_its_own_answer_a_question() -> None:
    tree = load_trees()["brake_issues"]
    assert next_node(tree, at("brake_issues", "squeal"), "they are squealing a lot").node == "pads_worn"
    assert next_node(tree, at("brake_issues", "squeal"), "the brakes don't squeal").node == "vibration"


def test_a_denied_sign_is_no_sign() -> None:
    tree = load_trees()["brake_issues"]
    assert told(tree, "The brake pedal is not soft, but they squeal") == {"squeal"}
    assert denied(tree, "The brake pedal is not soft, but they squeal") == {"pedal"}


def test_unknown_goes_on_as_no_and_makes_the_diagnosis_less_sure() -> None:
    tree = load_trees()["battery_electrical"]
    place = at("battery_electrical", "light")
    for reply in ("no", "I don't know", "not sure", "no"):
        place = next_node(tree, place, reply)
    assert place.node == "drain"
    assert confidence(tree, place) == 0.75


def test_what_is_no_reply_is_asked_again_once_then_a_person_is_wanted() -> None:
    trees = load_trees()
    state: dict[str, Any] = at("brake_issues", "pedal").as_state()
    again = plan(trees, state, "the weather is fine")
    assert again.move is Move.ASK_AGAIN
    assert again.place is not None
    assert confidence(trees["brake_issues"], again.place) == 0.7
    assert plan(trees, again.place.as_state(), "blue like the sky").move is Move.GIVE_UP


def test_another_symptom_begins_another_tree() -> None:
    state = at("brake_issues", "pedal").as_state()
    made = plan(load_trees(), state, "and the battery light is on")
    assert made.move is Move.BEGIN
    assert made.place is not None
    assert made.place.tree == "battery_electrical"


@pytest.mark.parametrize(
    ("message", "clear"),
    [
        ("yes", True),
        ("Não.", True),
        ("não sei", True),
        ("stop", True),
        ("it feels soft", True),
        ("Which oil does it take?", False),
        ("no, how much does an oil change cost?", False),
        ("I want to book a service", False),
    ],
)
def test_a_clear_reply_is_told_from_a_new_topic(message: str, clear: bool) -> None:
    assert is_reply(load_trees(), at("brake_issues", "pedal").as_state(), message) is clear


def test_the_language_is_kept_for_a_reply_that_does_not_tell_it() -> None:
    state = Place("brake_issues", "pedal", "pt").as_state()
    assert plan(load_trees(), state, "no").language == "pt"
    assert plan(load_trees(), state, "no, the pedal feels fine to me").language == "en"


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"tree": "gone", "node": "pedal", "language": "en", "answers": {}, "said": [], "misunderstood": 0},
        {"tree": "brake_issues", "node": "gone", "language": "en", "answers": {}, "said": [], "misunderstood": 0},
        {
            "tree": "brake_issues",
            "node": "pedal",
            "language": "en",
            "answers": {"pedal": "x"},
            "said": [],
            "misunderstood": 0,
        },
        {"tree": "brake_issues", "node": "pedal", "language": "en", "answers": {}, "said": None, "misunderstood": 0},
        {"tree": ["a"], "node": "pedal", "language": "en", "answers": {}, "said": [], "misunderstood": 0},
    ],
)
def test_a_state_of_another_version_is_forgotten(state: dict[str, Any]) -> None:
    assert Place.of_state(state, load_trees()) is None
    assert plan(load_trees(), state, "yes").move is Move.NO_TREE
