"""The agents at work as a table: who answers, and who knows whether a message goes on with its dialogue."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from genai_app.agents import manuals
from genai_app.agents.context import AgentContext, Continues, Work
from genai_app.agents.conversation import AgentEvent, Question
from genai_app.agents.maintenance import agent as maintenance
from genai_app.agents.profiles import Agent, by_name
from genai_app.agents.troubleshoot import agent as troubleshooter


@dataclass(frozen=True)
class Member:
    """An agent; `continues` is None when it never asks anything back."""

    work: Work
    continues: Continues | None = None


def from_manuals(agent: Agent) -> Work:
    """An agent that knows what the manuals say and no more."""

    def work(ctx: AgentContext, question: Question) -> AsyncIterator[AgentEvent]:
        return manuals.answer(ctx, agent, question)

    return work


TEAM: Final = {
    "specs": Member(from_manuals(by_name("specs"))),
    "maintenance": Member(maintenance.work, maintenance.continues),
    "troubleshoot": Member(troubleshooter.work, troubleshooter.continues),
}
