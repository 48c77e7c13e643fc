"""What customers are promised: the facts, where they stand, or the plain statement that there are none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from tests.app.openai_stub import OpenAIStub, Reply, chat

from genai_app import db
from genai_app.agents.answering import Agents, Answer, HistoryMessage, Question, build_agents, prompts_version
from genai_app.agents.profiles import NOT_IN_MANUALS
from genai_app.agents.troubleshoot.tree import load_trees
from genai_app.errors import DatabaseDown
from genai_app.evaluation import unanswerable
from genai_app.evaluation.unanswerable import Unanswerable
from genai_app.llm.offline import NOT_FOUND
from genai_app.llm.vocabulary import language
from genai_app.metrics import Metrics
from genai_app.rag.ingestion import seed_documents
from genai_app.settings import Settings

pytestmark = pytest.mark.service


def load(name: str) -> list[dict[str, Any]]:
    file = Path(__file__).parent.with_name("rag") / name
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def ask(agents: Agents, text: str, *history: HistoryMessage) -> Answer:
    return await agents.answer(Question(text, history))


@pytest.mark.parametrize(
    "question",
    [
        "Which engine oil does the GenAuto X1 take, and how often is it changed?",
        "Qual óleo de motor o GenAuto X1 usa e de quanto em quanto tempo troca?",
    ],
)
async def test_both_parts_of_the_oil_question_are_answered_from_both_documents(question: str, offline: Agents) -> None:
    answer = await ask(offline, question)
    assert "5W-30, API SN" in answer.text
    assert "every 10,000 km or 12 months" in answer.text
    assert {source.source for source in answer.sources} == {
        "specs_genautox1_2024.md",
        "maintenance_guide_genautox1.md",
    }
    assert (answer.provider, answer.model, answer.tokens_in, answer.tokens_out) == ("offline", "extractive", 0, 0)
    assert answer.confidence >= 0.7


@pytest.mark.parametrize("asked", load("answerable.jsonl"), ids=lambda asked: str(asked["question"]))
async def test_the_offline_answer_holds_the_facts(asked: Mapping[str, Any], offline: Agents) -> None:
    answer = await ask(offline, asked["question"])
    for fact in asked["facts"]:
        assert fact.lower() in answer.text.lower()
    assert {source.source for source in answer.sources} & set(asked["sources"])
    assert answer.confidence >= 0.6


@pytest.mark.parametrize("asked", unanswerable.load(), ids=lambda asked: asked.question)
async def test_what_the_manuals_do_not_say_is_not_invented(asked: Unanswerable, offline: Agents) -> None:
    answer = await ask(offline, asked.question)
    assert answer.text == NOT_FOUND[language(asked.question)]
    assert answer.sources == ()
    assert answer.confidence <= 0.3


@pytest.mark.parametrize("asked", load("answerable.jsonl")[::4], ids=lambda asked: str(asked["question"]))
async def test_every_line_of_an_offline_answer_is_a_quotation(asked: Mapping[str, Any], offline: Agents) -> None:
    manuals = " ".join(" ".join(document.text.split()) for document in seed_documents())
    answer = await ask(offline, asked["question"])
    quoted = [line.removeprefix("- ") for line in answer.text.splitlines() if line.startswith("- ")]
    assert quoted
    for line in quoted:
        assert line in manuals or line in texts_of_trees()


def texts_of_trees() -> set[str]:
    """Everything that a diagnosis may say."""
    found = [diagnosis for tree in load_trees().values() for diagnosis in tree.diagnoses.values()]
    return {text for each in found for part in (*each.causes, *each.actions) for text in (part.en, part.pt)}


@pytest.mark.parametrize(
    ("first", "then", "fact"),
    [
        ("Which oil does it take?", "And how often must it be changed?", "every 10,000 km or 12 months"),
        ("Qual óleo ele usa?", "E de quanto em quanto tempo troca?", "every 10,000 km or 12 months"),
        ("When must the timing belt be replaced?", "And the coolant?", "coolant every 100,000 km or 5 years"),
        ("How often is the oil changed?", "What about the brake fluid?", "brake fluid every 20,000 km"),
        ("What tyre pressure do I need?", "And with a full load?", "35 psi"),
    ],
)
async def test_a_follow_up_is_answered_for_what_it_is_about(first: str, then: str, fact: str, offline: Agents) -> None:
    earlier = await ask(offline, first)
    history = (HistoryMessage("user", first), HistoryMessage("assistant", earlier.text, earlier.agent, earlier.sources))
    assert fact in (await ask(offline, then, *history)).text


@pytest.mark.parametrize("text", ["", "?", "🚗", "x" * 8000, "\0", "' OR 1=1 --", "<script>alert(1)</script>"])
async def test_any_message_gets_an_answer(text: str, offline: Agents) -> None:
    answer = await ask(offline, text)
    assert answer.text
    assert 0 <= answer.confidence <= 1


async def test_a_model_answers_from_the_passages_and_the_history(
    online: Agents, model_server: OpenAIStub, metrics: Metrics
) -> None:
    history = (HistoryMessage("user", "Hello"), HistoryMessage("assistant", "Good day", agent="specs"))
    answer = await ask(online, "Which engine oil does it take?", *history)
    assert answer.text == "The engine takes 5W-30."
    assert (answer.provider, answer.model) == ("openrouter", "stub-model")
    assert (answer.tokens_in, answer.tokens_out) == (11, 7)
    assert "specs_genautox1_2024.md" in {source.source for source in answer.sources}
    [request] = model_server.requests
    system, *turns = request.json["messages"]
    assert "API SN" in system["content"]
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("user", "Hello"),
        ("assistant", "Good day"),
        ("user", "Which engine oil does it take?"),
    ]
    assert f'agent_routing_total{{routing_method="{answer.routing.method}",selected_agent="{answer.agent}"}} 1.0' in (
        metrics.render().decode()
    )


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=500),
        Reply(status=401),
        Reply(status=429, headers=(("Retry-After", "3600"),)),
        Reply(resets=True),
        Reply(body=b'{"choices"', promised=400),
        Reply(body=b"garbage"),
        chat("<think>only thinking"),
    ],
    ids=["500", "401", "429", "reset", "cut", "garbage", "only reasoning"],
)
async def test_when_the_model_fails_the_passages_answer_and_the_answer_says_so(
    failure: Reply, online: Agents, model_server: OpenAIStub, metrics: Metrics
) -> None:
    model_server.script = [failure]
    answer = await ask(online, "Which engine oil does it take?")
    assert "5W-30" in answer.text
    assert (answer.provider, answer.model, answer.tokens_in) == ("offline", "extractive", 0)
    assert 'dependency_down_total{dependency="model",policy="offline-answer"} 1.0' in metrics.render().decode()


async def test_a_model_that_finds_nothing_says_so_in_the_language_of_the_question(
    online: Agents, model_server: OpenAIStub
) -> None:
    model_server.text = NOT_IN_MANUALS
    answer = await ask(online, "Qual é a capital da Argentina?")
    assert answer.text == NOT_FOUND["pt"]
    assert answer.sources == ()
    assert answer.confidence <= 0.3


async def test_an_unsure_choice_without_an_answer_is_tried_once_more(offline: Agents) -> None:
    answers = [await ask(offline, text) for text in ("lorem ipsum dolor", "hm hm hm", "sunroof?")]
    unsure = [answer for answer in answers if answer.routing.confidence < 0.8]
    assert unsure
    assert all(answer.routing.rerouted for answer in unsure)


async def test_with_a_model_server_for_everything_its_vectors_route_and_a_dead_one_does_not_stop_a_turn(
    seeded: asyncpg.Pool, http: httpx2.AsyncClient, model_server: OpenAIStub, metrics: Metrics
) -> None:
    model_server.script = [Reply(status=401)]
    settings = Settings.from_environment({"OPENROUTER_API_KEY": "key", "OPENROUTER_BASE_URL": model_server.base_url})
    agents = build_agents(settings=settings, pool=seeded, metrics=metrics, http=http)
    await agents.warm_up()
    answer = await ask(agents, "How often must the oil be changed?")
    assert answer.routing.method == "vocabulary"
    assert answer.agent == "maintenance"
    model_server.script = []
    answer = await ask(agents, "How often must the oil be changed?")
    assert answer.routing.method == "embedding_margin"
    assert answer.provider == "openrouter"


async def test_without_a_database_the_caller_is_told(http: httpx2.AsyncClient, metrics: Metrics) -> None:
    settings = Settings.from_environment({"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "1"})
    async with db.open_pool(settings) as pool:
        agents = build_agents(settings=settings, pool=pool, metrics=metrics, http=http)
        with pytest.raises(DatabaseDown):
            await ask(agents, "Which oil?")


def test_the_version_of_the_prompts_is_short_and_stable() -> None:
    assert prompts_version() == prompts_version()
    assert len(prompts_version()) == 12
