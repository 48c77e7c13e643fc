"""Questions find their agent, measured on questions that the router has not seen."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.agents.profiles import AGENTS
from genai_app.agents.routing import EMBEDDING_METHOD, VOCABULARY_METHOD, Router, decide, load_examples
from genai_app.errors import ModelDown
from genai_app.evaluation import routing
from genai_app.rag.embedding import PackagedEmbedder
from genai_app.rag.precomputed import Vector

pytestmark = pytest.mark.service

HELD_OUT = [(row.question, row.agent) for row in routing.load()]


class AwayEmbedder(PackagedEmbedder):
    """An embedder whose server is away."""

    async def embed_query(self, text: str) -> Vector:
        raise ModelDown(f"no vector for {text}")


async def accuracy(router: Router, method: str) -> float:
    right = 0
    for question, agent in HELD_OUT:
        choice = await router.choose(question)
        assert choice.method == method
        right += choice.agent == agent
    return right / len(HELD_OUT)


def test_examples_and_held_out_questions_are_balanced_and_disjoint() -> None:
    names = {agent.name for agent in AGENTS}
    examples = load_examples()
    counts = Counter(example.agent for example in examples)
    assert set(counts) == names == {agent for _, agent in HELD_OUT}
    assert len(examples) >= 120
    assert len(HELD_OUT) == len(set(HELD_OUT)) >= 150
    assert max(counts.values()) - min(counts.values()) <= 5
    assert not {example.question for example in examples} & {question for question, _ in HELD_OUT}


async def test_nineteen_of_twenty_held_out_questions_find_their_agent(embedder: PackagedEmbedder) -> None:
    router = Router(embedder)
    await router.warm_up()
    assert await accuracy(router, EMBEDDING_METHOD) >= 0.95


async def test_the_evaluation_reports_what_the_router_does(embedder: PackagedEmbedder) -> None:
    steps: list[None] = []
    report = await routing.report(Router(embedder), lambda: steps.append(None))
    confusion, accuracies, mistakes = report.tables
    assert report.met
    assert len(steps) == len(HELD_OUT) == sum(int(cell) for row in confusion.rows for cell in row[1:])
    [measured] = [goal.value for goal in report.goals if goal.name == "accuracy"]
    assert {row[0]: row[2] for row in accuracies.rows}["all"] == measured
    assert len(mistakes.rows) == round((1 - measured) * len(HELD_OUT))


async def test_without_vectors_the_vocabulary_still_routes_most(embedder: PackagedEmbedder) -> None:
    _ = embedder
    assert await accuracy(Router(AwayEmbedder(768)), VOCABULARY_METHOD) >= 0.75


async def test_a_sure_choice_is_right_more_often_than_an_unsure_one(embedder: PackagedEmbedder) -> None:
    router = Router(embedder)
    choices = [(await router.choose(question), agent) for question, agent in HELD_OUT]
    sure = [choice.agent == agent for choice, agent in choices if choice.confidence >= 0.95]
    unsure = [choice.agent == agent for choice, agent in choices if choice.confidence < 0.95]
    assert len(sure) >= len(HELD_OUT) / 2
    assert sum(sure) / len(sure) >= 0.98
    assert sum(unsure) / len(unsure) < sum(sure) / len(sure)


async def test_an_unanswerable_word_salad_is_an_unsure_choice(embedder: PackagedEmbedder) -> None:
    choices = [await Router(embedder).choose(text) for text in ("?", "hm", "lorem ipsum dolor")]
    assert all(choice.confidence < 0.95 for choice in choices)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_a_decision_names_two_different_agents_and_a_confidence(similarities: list[float]) -> None:
    choice = decide(similarities, ("a", "a", "b", "b", "c", "c"), "test")
    assert choice.agent != choice.runner_up
    assert 0.5 <= choice.confidence <= 1


def test_a_tie_is_as_unsure_as_it_gets() -> None:
    assert decide((0.5, 0.5), ("a", "b"), "test").confidence == 0.5
