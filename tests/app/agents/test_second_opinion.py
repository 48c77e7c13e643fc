"""An unsure choice is put to the model, whose probabilities count when its server gives them; a sure one is not."""

import math

import pytest
from tests.app.openai_stub import OpenAIStub, Reply, as_json, chat

from genai_app.agents.answering import Agents, Question
from genai_app.agents.routing import UNSURE, Choice
from genai_app.agents.second_opinion import LOGPROBS_METHOD, MODEL_METHOD, decide, named
from genai_app.llm.chat_model import Completion
from genai_app.metrics import Metrics

pytestmark = pytest.mark.service

UNSURE_QUESTION = "How long is the paint guaranteed?"
"""The vectors take it for maintenance, with a confidence of 0.58."""


def with_probability(word: str, probability: float) -> Reply:
    return as_json(
        {
            "model": "stub-model",
            "choices": [
                {
                    "message": {"role": "assistant", "content": word},
                    "finish_reason": "stop",
                    "logprobs": {"content": [{"token": word, "logprob": math.log(probability)}]},
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 1},
        }
    )


async def test_a_sure_choice_costs_no_call(online: Agents, model_server: OpenAIStub) -> None:
    answer = await online.answer(Question("How many airbags are there?"))
    assert answer.routing.method == "embedding_margin"
    assert len(model_server.requests) == 1


async def test_the_models_probability_is_the_confidence(
    online: Agents, model_server: OpenAIStub, metrics: Metrics
) -> None:
    model_server.script = [with_probability("specs", 0.93), chat("Three years, says the manual.")]
    answer = await online.answer(Question(UNSURE_QUESTION))
    assert (answer.agent, answer.routing.method, answer.routing.confidence) == ("specs", LOGPROBS_METHOD, 0.93)
    assert (answer.tokens_in, answer.tokens_out) == (111, 8)
    assert model_server.requests[0].json["logprobs"] is True
    assert (
        'agent_routing_total{routing_method="model_logprobs",selected_agent="specs"} 1.0' in metrics.render().decode()
    )


async def test_without_probabilities_both_opinions_are_weighed(online: Agents, model_server: OpenAIStub) -> None:
    model_server.script = [chat("specs"), chat("Three years, says the manual.")]
    answer = await online.answer(Question(UNSURE_QUESTION))
    assert (answer.agent, answer.routing.method) == ("specs", MODEL_METHOD)
    assert 0.5 < answer.routing.confidence < 1


@pytest.mark.parametrize(
    "reply", [chat("I would say specs or maintenance"), chat("billing"), Reply(status=401), Reply(body=b"garbage")]
)
async def test_a_model_of_no_help_leaves_the_first_choice(
    reply: Reply, online: Agents, model_server: OpenAIStub
) -> None:
    model_server.script = [reply, chat("Three years, says the manual.")]
    answer = await online.answer(Question(UNSURE_QUESTION))
    assert (answer.agent, answer.routing.method) == ("maintenance", "embedding_margin")


async def test_a_model_that_never_helps_is_not_asked_for_ever(online: Agents, model_server: OpenAIStub) -> None:
    model_server.text = "I cannot tell"
    for _ in range(5):
        await online.answer(Question(UNSURE_QUESTION))
    routings = [request for request in model_server.requests if request.json.get("logprobs")]
    assert len(routings) == 3


async def test_an_unsure_agent_without_an_answer_is_followed_by_the_other_and_counted(
    online: Agents, model_server: OpenAIStub, metrics: Metrics
) -> None:
    model_server.script = [with_probability("maintenance", 0.6), chat("NOT_IN_MANUALS"), chat("Three years.")]
    answer = await online.answer(Question(UNSURE_QUESTION))
    assert answer.routing.rerouted
    assert answer.agent == "specs"
    assert (
        'agent_rerouting_total{from_agent="maintenance",reason="wrong_agent",to_agent="specs"} 1.0'
        in metrics.render().decode()
    )


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("specs", "specs"),
        (" Troubleshoot.", "troubleshoot"),
        ('{"agent": "maintenance"}', "maintenance"),
        ("specs, specs!", "specs"),
        ("specs or maintenance", None),
        ("specification", None),
        ("", None),
    ],
)
def test_the_one_name_in_a_reply_is_found(text: str, agent: str | None) -> None:
    assert named(text) == agent


def test_agreement_makes_sure_and_contradiction_unsure() -> None:
    first, said = Choice("specs", 0.6, "embedding_margin", "maintenance"), Completion("", 1, 1, "m")
    agreed, denied = decide(first, "specs", said), decide(first, "maintenance", said)
    assert agreed.confidence > denied.confidence > 0.6
    assert agreed.confidence >= UNSURE
    assert (agreed.runner_up, denied.runner_up) == ("maintenance", "specs")
