"""Whose turn it is when an agent has asked something back; the state of a session is one agent's at a time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genai_app.agents.conversation import Question
from genai_app.agents.follow_up import standalone
from genai_app.agents.routing import DIALOGUE_METHOD, UNSURE, Choice, Router
from genai_app.agents.second_opinion import SecondOpinion
from genai_app.agents.team import TEAM


async def route(question: Question, router: Router, second: SecondOpinion | None) -> Choice:
    """A clear reply goes to who asked; anything else is routed, and stays with who asked when that is unsure.

    `second` is asked about an unsure choice when no dialogue is open; None: there is no model.
    """
    asking = next((name for name in TEAM if question.session_state.get(name)), None)
    if asking is not None and continues(question, asking):
        return Choice(asking, 1.0, DIALOGUE_METHOD, runner_up=asking)
    choice = await router.choose(standalone(question).text)
    if asking is not None and choice.agent != asking and choice.confidence < UNSURE:
        return Choice(asking, choice.confidence, DIALOGUE_METHOD, runner_up=choice.agent)
    return await second.on(question, choice) if second and asking is None else choice


def continues(question: Question, asking: str) -> bool:
    """Whether the message is a clear reply to what the agent `asking` asked last."""
    clear = TEAM[asking].continues
    return clear is not None and clear(own_part(question, asking))


def own_part(question: Question, name: str) -> Question:
    """The question as the agent `name` sees it: with its own state only."""
    own = question.session_state.get(name)
    return replace(question, session_state=own if isinstance(own, Mapping) else {})


def kept_state(name: str, state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of the session after an answer of the agent `name`; empty when it asked nothing."""
    return {name: state} if state else {}
