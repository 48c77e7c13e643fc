"""Finding the cause of a fault over several turns, as a customer sees it: offline, and with a model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.app.openai_stub import OpenAIStub, Reply

from genai_app.agents.answering import Agents, Answer, HistoryMessage, Question
from genai_app.agents.profiles import NOT_IN_MANUALS
from genai_app.agents.troubleshoot.tree import load_trees
from genai_app.agents.troubleshoot.wording import GIVEN_UP, STOPPED

pytestmark = pytest.mark.service


async def talk(agents: Agents, texts: Sequence[str]) -> list[Answer]:
    """The answers to the messages of one session."""
    answers: list[Answer] = []
    question = Question("")
    for text in texts:
        question = replace(question, text=text)
        answer = await agents.answer(question)
        answers.append(answer)
        said = (HistoryMessage("user", text), HistoryMessage("assistant", answer.text, answer.agent))
        question = replace(question, history=(*question.history, *said), session_state=answer.state)
    return answers


def ask(tree: str, node: str, language: str = "en") -> str:
    text = load_trees()[tree].questions[node].ask
    return text.pt if language == "pt" else text.en


async def test_one_question_at_a_time_leads_to_a_diagnosis(offline: Agents) -> None:
    first, second, third, last = await talk(offline, ["My brakes make a noise", "no", "not sure", "yes"])
    assert ask("brake_issues", "pedal") in first.text
    assert ask("brake_issues", "red_light") in second.text
    assert ask("brake_issues", "grinding") in third.text
    assert all(answer.agent == "troubleshoot" for answer in (first, second, third, last))
    assert [answer.routing.method for answer in (second, third, last)] == ["dialogue"] * 3
    assert last.state == {}
    assert last.diagnosis is not None
    assert last.diagnosis.severity == "critical"
    assert last.requires_professional
    assert last.safety_warning is not None
    assert last.text.startswith(last.safety_warning)
    assert last.confidence == 0.833  # one reply of three was "not sure"


async def test_the_whole_dialogue_is_in_portuguese(offline: Agents) -> None:
    answers = await talk(offline, ["O ar-condicionado não gela", "sim", "sim"])
    assert ask("air_conditioning", "switched_on", "pt") in answers[0].text
    assert ask("air_conditioning", "flow", "pt") in answers[1].text
    assert answers[2].diagnosis is not None
    assert answers[2].diagnosis.recommended_actions == ("Troque o filtro de cabine",)
    assert {answer.language for answer in answers} == {"pt"}


async def test_the_first_answer_says_what_the_manuals_say_and_names_them(offline: Agents) -> None:
    [answer] = await talk(offline, ["My brakes squeal"])
    assert "worn brake pads or dust" in answer.text
    assert {source.source for source in answer.sources} == {"troubleshooting_guide.md"}


async def test_the_safety_warning_comes_first_and_a_firewall_is_no_fire(offline: Agents) -> None:
    [danger] = await talk(offline, ["I smell petrol inside the car"])
    assert danger.safety_warning is not None
    assert danger.text.startswith("⚠")
    assert danger.requires_professional
    [harmless] = await talk(offline, ["Does the firewall of the hotspot block anything?"])
    assert harmless.safety_warning is None


async def test_a_danger_that_no_tree_knows_is_warned_of_all_the_same(offline: Agents) -> None:
    [answer] = await talk(offline, ["The airbag light is on and something is faulty"])
    assert answer.text.startswith("⚠")
    assert answer.requires_professional
    assert answer.answered


async def test_another_topic_leaves_the_tree(offline: Agents) -> None:
    begun, left = await talk(offline, ["My brakes make a noise", "How many airbags does the car have?"])
    assert begun.state
    assert left.agent == "specs"
    assert "6 airbags" in left.text
    assert left.state == {}


async def test_another_symptom_changes_the_tree(offline: Agents) -> None:
    _, other = await talk(offline, ["My brakes make a noise", "and the engine overheats"])
    assert ask("overheating", "now") in other.text


async def test_what_is_not_understood_is_asked_again_and_then_left_to_a_person(offline: Agents) -> None:
    _, again, given_up = await talk(offline, ["My brakes make a noise", "hm the dog barks", "hm hm hm"])
    assert ask("brake_issues", "pedal") in again.text
    assert again.confidence >= 0.7
    assert given_up.text == GIVEN_UP["en"]
    assert given_up.handoff_reason == "repeated_failure"
    assert given_up.state == {}


async def test_stop_ends_the_questions(offline: Agents) -> None:
    _, stopped = await talk(offline, ["O carro não liga", "deixa pra lá"])
    assert stopped.text == STOPPED["pt"]
    assert stopped.state == {}


@pytest.mark.parametrize(
    "state", [{"troubleshoot": {"tree": "gone"}}, {"troubleshoot": 7}, {"nobody": {}}, {"specs": {"a": 1}}]
)
async def test_a_state_that_nobody_knows_does_no_harm(state: dict[str, Any], offline: Agents) -> None:
    answer = await offline.answer(Question("How many airbags does the car have?", session_state=state))
    assert "6 airbags" in answer.text


async def test_a_model_words_the_beginning_and_the_tree_asks(online: Agents, model_server: OpenAIStub) -> None:
    model_server.text = "Brake noise often comes from worn pads, says the guide."
    [answer] = await talk(online, ["My brakes make a noise"])
    assert answer.text.startswith(model_server.text)
    assert ask("brake_issues", "pedal") in answer.text
    assert (answer.provider, answer.tokens_in) == ("openrouter", 11)
    [request] = model_server.requests
    assert "ask nothing yourself" in request.json["messages"][0]["content"]


async def test_a_model_explains_the_diagnosis_from_the_tree(online: Agents, model_server: OpenAIStub) -> None:
    model_server.text = "Your pads are worn down: have the car towed."
    *_, last = await talk(online, ["My brakes make a noise", "no", "no", "yes"])
    assert last.diagnosis is not None
    assert last.text == f"{last.safety_warning}\n\n{model_server.text}"
    assert len(model_server.requests) == 2  # questions need no model
    prompt = model_server.requests[-1].json["messages"][0]["content"]
    for action in last.diagnosis.recommended_actions:
        assert action in prompt


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(resets=True)], ids=["500", "reset"])
async def test_without_its_model_the_diagnosis_is_the_trees(
    reply: Reply, online: Agents, model_server: OpenAIStub
) -> None:
    model_server.script = [reply]
    *_, last = await talk(online, ["My brakes make a noise", "no", "no", "yes"])
    assert "Have the car towed to a workshop" in last.text
    assert last.provider == "offline"


async def test_a_model_that_finds_nothing_still_leaves_the_question(online: Agents, model_server: OpenAIStub) -> None:
    model_server.text = NOT_IN_MANUALS
    [answer] = await talk(online, ["My brakes make a noise"])
    assert NOT_IN_MANUALS not in answer.text
    assert ask("brake_issues", "pedal") in answer.text
    assert answer.state
