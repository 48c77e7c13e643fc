"""Choosing the agent for a question, by the labelled questions that it resembles most; the confidence is measured.

A question is compared with every example of `routing_examples.jsonl`, after the mean of all examples was taken away:
what all questions about cars have in common says nothing. An agent's score is the mean of its five best examples.
Without vectors the same is done with shared concepts.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from genai_app.errors import ConfigurationError, ModelDown, Overloaded
from genai_app.llm.chat_model import Completion
from genai_app.llm.vocabulary import concepts
from genai_app.rag.embedding import Embedder
from genai_app.rag.precomputed import Vector

log = structlog.get_logger(__name__)

NEAREST: Final = 5
"""Examples of an agent that count. On the held-out questions 3 to 8 give the same accuracy, 1 and all give less."""
EVEN_MARGIN: Final = 0.06
"""The margin between the two best agents at which a choice is as sure as 4 to 1: fits the examples, each left out."""
EMBEDDING_METHOD: Final = "embedding_margin"
VOCABULARY_METHOD: Final = "vocabulary"
DIALOGUE_METHOD: Final = "dialogue"
"""The message goes to the agent that has asked something back."""
UNSURE: Final = 0.8
"""A routing less sure than this is tried again with the runner-up when the first agent has no answer."""


@dataclass(frozen=True)
class Example:
    """A question and the agent that should answer it."""

    agent: str
    question: str


@dataclass(frozen=True)
class Choice:
    """The agent, how sure (0..1), how it was found, and the second best, who is asked if the first has no answer.

    `spent` is what a model was asked for it.
    """

    agent: str
    confidence: float
    method: str
    runner_up: str
    spent: Completion | None = None


@cache
def load_examples() -> tuple[Example, ...]:
    """The labelled questions that ship with this package."""
    text = resources.files("genai_app.agents").joinpath("routing_examples.jsonl").read_text(encoding="utf-8")
    return tuple(Example(**json.loads(line)) for line in text.splitlines())


class Router:
    """Routes by embedding; by concepts while the embedder is away."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._examples = load_examples()
        self._agents = tuple(example.agent for example in self._examples)
        self._centred: _Centred | None = None

    async def warm_up(self) -> None:
        """Embed the examples. An embedder that is away is asked again at a later question."""
        try:
            await self._vectors()
        except (ModelDown, Overloaded, ConfigurationError) as error:
            log.warning("routing_by_vocabulary_until_the_embedder_answers", reason=str(error))

    async def choose(self, text: str) -> Choice:
        """The agent for `text`. Never raises: without an embedder the vocabulary decides."""
        try:
            question = await self._embedder.embed_query(text)
            similarities = (await self._vectors()).similarities(question)
        except (ModelDown, Overloaded, ConfigurationError):
            return decide(_shared_concepts(text, self._examples), self._agents, VOCABULARY_METHOD)
        return decide(similarities, self._agents, EMBEDDING_METHOD)

    async def _vectors(self) -> "_Centred":
        if self._centred is None:
            vectors = await self._embedder.embed_queries([example.question for example in self._examples])
            self._centred = _Centred.of(np.array(vectors))
        return self._centred


def decide(similarities: Sequence[float], agents: Sequence[str], method: str) -> Choice:
    """The agent whose nearest examples are nearest, given one similarity for each example."""
    by_agent: dict[str, list[float]] = {}
    for agent, similarity in zip(agents, similarities, strict=True):
        by_agent.setdefault(agent, []).append(float(similarity))
    scores = {agent: _mean_of_best(values) for agent, values in by_agent.items()}
    first, second = sorted(scores, key=lambda agent: -scores[agent])[:2]
    return Choice(first, _confidence(scores, first, second), method, second)


def _confidence(scores: Mapping[str, float], first: str, second: str) -> float:
    """0.5 for a tie, 0.8 at EVEN_MARGIN, towards 1."""
    return round(1 / (1 + math.exp(-math.log(4) * (scores[first] - scores[second]) / EVEN_MARGIN)), 3)


def _mean_of_best(values: list[float]) -> float:
    best = sorted(values, reverse=True)[:NEAREST]
    return sum(best) / len(best)


def _shared_concepts(text: str, examples: Sequence[Example]) -> list[float]:
    """Jaccard similarity of concepts with each example."""
    asked = frozenset(concepts(text))
    known = [_example_concepts(example.question) for example in examples]
    return [len(asked & each) / len(asked | each) if asked | each else 0.0 for each in known]


@cache
def _example_concepts(question: str) -> frozenset[str]:
    return frozenset(concepts(question))


@dataclass(frozen=True)
class _Centred:
    """The examples' vectors without their mean, each of length 1: (examples, dimension)."""

    mean: Vector
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> "_Centred":
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        return cls(mean, centred / np.linalg.norm(centred, axis=1, keepdims=True))

    def similarities(self, question: Vector) -> list[float]:
        """The cosine of the question to each example, after the mean is taken away."""
        centred = question - self.mean
        cosines: list[float] = (self.vectors @ (centred / np.linalg.norm(centred))).tolist()
        return cosines
