"""Asking the model who should answer, when the vectors are unsure: about one question in twelve.

Sure choices are right 99 times in 100 and cost two milliseconds; a model's opinion costs a call, so it is asked only
where it can change something. Whatever goes wrong with it, the first choice stands.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from genai_app.agents.conversation import HistoryMessage, Question
from genai_app.agents.profiles import AGENTS
from genai_app.agents.routing import UNSURE, Choice
from genai_app.errors import ModelDown
from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Message
from genai_app.llm.circuit import Circuit

log = structlog.get_logger(__name__)

LOGPROBS_METHOD: Final = "model_logprobs"
MODEL_METHOD: Final = "model_and_margin"
SECONDS: Final = 3.0
"""A model that thinks longer costs the customer more than the second agent would."""
MODEL_RIGHT: Final = 0.9
"""How often a model is taken to be right whose server gives no probabilities; the vectors' margin weighs against it."""
LAST_MESSAGES: Final = 2
LONGEST_MESSAGE: Final = 500
"""Characters: an opinion on the topic needs no more."""

_TASK: Final = (
    "You are the router of a car maker's assistant. Reply with exactly one of these words and nothing else:\n"
    "specs - what the car is, has and can do, how a feature is used, the warranty\n"
    "maintenance - service intervals, prices, appointments, what was or must be done on the car\n"
    "troubleshoot - something is wrong with the car: a noise, a light, a smell, a part that does not work"
)
_NAME: Final = re.compile(rf"\b(?:{'|'.join(agent.name for agent in AGENTS)})\b", re.IGNORECASE)


class SecondOpinion:
    """One per process: a model that is too slow or says nothing usable three times is not asked for a while."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._circuit = Circuit()

    async def on(self, question: Question, first: Choice) -> Choice:
        """The choice after the model was asked; `first` when it is sure, or the model is of no help. Never raises."""
        loop = asyncio.get_running_loop()
        if first.confidence >= UNSURE or question.models == "offline" or not self._circuit.allows(loop.time()):
            return first
        try:
            async with asyncio.timeout(SECONDS):
                completion = await self._model.complete(request(question))
        except (ModelDown, TimeoutError) as error:
            self._circuit.failed(loop.time(), None)
            log.info("no_second_opinion", reason=str(error) or f"none within {SECONDS:g} s")
            return first
        agent = named(completion.text)
        if agent is None:
            self._circuit.failed(loop.time(), None)
            return replace(first, spent=completion)
        self._circuit.succeeded()
        return decide(first, agent, completion)


def request(question: Question) -> ChatRequest:
    """The call: the end of the conversation and the question; pure."""
    return ChatRequest(
        messages=(
            Message("system", _TASK),
            *_recent(question.history[-LAST_MESSAGES:]),
            Message("user", question.text[:LONGEST_MESSAGE]),
        ),
        question=question.text,
        agent="router",
        temperature=0.0,
        max_tokens=64,
        logprobs=True,
        streamed=False,
        models=question.models,
    )


def named(text: str) -> str | None:
    """The one agent that a reply names; None when it names none or several."""
    names = {name.lower() for name in _NAME.findall(text)}
    return names.pop() if len(names) == 1 else None


def decide(first: Choice, agent: str, completion: Completion) -> Choice:
    """The model's agent, with the confidence of its tokens, or else of both opinions together (Bayes); pure."""
    others = len(AGENTS) - 1
    vectors = first.confidence if agent == first.agent else 1 - first.confidence
    for_it, against = MODEL_RIGHT * vectors, (1 - MODEL_RIGHT) / others * (1 - vectors)
    measured = completion.logprob_confidence
    return Choice(
        agent=agent,
        confidence=round(for_it / (for_it + against) if measured is None else measured, 3),
        method=MODEL_METHOD if measured is None else LOGPROBS_METHOD,
        runner_up=first.runner_up if agent == first.agent else first.agent,
        spent=completion,
    )


def _recent(history: Sequence[HistoryMessage]) -> tuple[Message, ...]:
    return tuple(Message(message.role, message.content[:LONGEST_MESSAGE]) for message in history)
