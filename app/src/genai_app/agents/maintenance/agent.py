"""The maintenance agent: prices, records and appointments by tools, everything else from the manuals.

hear → next_move → a yes or no is settled by rules, always
                 → with a model: it answers and calls tools (`tool_loop`)
                 → without one, or when it fails: the same tools by rules
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import structlog

from genai_app.agents import manuals
from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import AgentEvent, Answer, CustomerScope, Question, Step, Token, ToolUse
from genai_app.agents.maintenance import phrases
from genai_app.agents.maintenance.deciding import goes_on, is_reply, learn, next_move, what_is_missing
from genai_app.agents.maintenance.dialogue import (
    AskFor,
    Dialogue,
    Move,
    Perform,
    ReadManuals,
    Say,
    UseTool,
    from_json,
    to_json,
)
from genai_app.agents.maintenance.hearing import hear
from genai_app.agents.maintenance.results import Result
from genai_app.agents.maintenance.tool_loop import Conversed, as_json, converse
from genai_app.agents.maintenance.tools import perform, use
from genai_app.agents.maintenance.workshop import Workshop
from genai_app.agents.profiles import by_name
from genai_app.errors import ModelDown
from genai_app.scheduling.values import SchedulerDown
from genai_contract.metrics import DEPENDENCY_DOWN

log = structlog.get_logger(__name__)

NAME: Final = "maintenance"
STEPS: Final = 4
"""Tools that one message may lead to by rules: find the appointment, find a time, propose."""
FAILED: Final = "repeated_failure"
SOME_DAY: Final = date(2026, 1, 1)
"""Whether a text names a day does not depend on which day it is."""
ACTIONS: Final = {
    "book": "book_appointment",
    "reschedule": "reschedule_appointment",
    "cancel": "cancel_appointment",
}


@dataclass(frozen=True)
class Said:
    """What the rules came to: the reply, the state after it, the tools that were used."""

    text: str
    dialogue: Dialogue
    tools: tuple[ToolUse, ...] = ()
    handoff_reason: str | None = None


async def work(ctx: AgentContext, question: Question) -> AsyncIterator[AgentEvent]:
    """See `context.Work`. Raises DatabaseDown; a scheduler that is away is said in the answer."""
    shop = ctx.workshop
    before = from_json(question.session_state)
    heard = hear(question.text, shop.today, expects_time=before.asked == "time")
    after, move = next_move(before, heard, shop.today)
    settled = heard.yes or isinstance(move, Perform | Say)
    if ctx.has_model and question.models != "offline" and not settled:
        try:
            async with aclosing(converse(ctx, question, before)) as events:
                async for event in events:
                    yield event.answer if isinstance(event, Conversed) else event
        except ModelDown as down:  # before its first word
            ctx.metrics.count(DEPENDENCY_DOWN, dependency="model", policy="offline-answer")
            log.warning("model_down_working_by_rules", reason=str(down), agent=NAME)
        else:
            return
    async with aclosing(by_rules(ctx, question, after, move)) as events_by_rules:
        async for event_by_rules in events_by_rules:
            yield event_by_rules


def continues(question: Question) -> bool:
    """See `context.Continues`."""
    dialogue = from_json(question.session_state)
    return is_reply(dialogue, hear(question.text, SOME_DAY, expects_time=dialogue.asked == "time"))


async def by_rules(ctx: AgentContext, question: Question, dialogue: Dialogue, move: Move) -> AsyncGenerator[AgentEvent]:
    """Do `move` without a model."""
    if isinstance(move, ReadManuals):
        async for event in manuals.answer(ctx, by_name(NAME), question):
            yield replace(event, state=to_json(dialogue)) if isinstance(event, Answer) else event
        return
    if isinstance(move, UseTool | Perform):
        yield Step("tool_call")
    said = await follow(ctx.workshop, question.customer, dialogue, move)
    yield Token(said.text)
    yield Answer(
        text=said.text,
        agent=NAME,
        confidence=1.0,
        tools=said.tools,
        state=to_json(said.dialogue),
        language=said.dialogue.language,
        handoff_reason=said.handoff_reason,
    )


async def follow(shop: Workshop, customer: CustomerScope | None, dialogue: Dialogue, move: Move) -> Said:
    """Do a move and whatever follows from it without a word from the customer. Raises DatabaseDown."""
    tools: tuple[ToolUse, ...] = ()
    for _ in range(STEPS):
        if not isinstance(move, UseTool | Perform):
            return replace(_without_tools(dialogue, move), tools=tools)
        try:
            result, used = await _act(shop, customer, move)
        except SchedulerDown as down:
            log.warning("scheduler_down_customer_told", reason=str(down))
            return Said(phrases.say("scheduler_down", dialogue.language), dialogue, tools, FAILED)
        tools = (*tools, used)
        learned = learn(dialogue, result)
        if not goes_on(dialogue, learned):
            return Said(phrases.result(result, learned), learned, tools)
        dialogue, move = what_is_missing(learned, shop.today)
    raise RuntimeError(f"the dialogue does not end: {dialogue.goal} {dialogue.asked}")


async def _act(shop: Workshop, customer: CustomerScope | None, move: UseTool | Perform) -> tuple[Result, ToolUse]:
    if isinstance(move, Perform):
        name, arguments = ACTIONS[move.proposal.action], {"confirmed": True}
        result = await perform(shop, customer, move.proposal)
    else:
        name, arguments = move.name, move.arguments.model_dump(mode="json")
        result = await use(shop, customer, move.name, move.arguments)
    return result, ToolUse(name, arguments, as_json(result))


def _without_tools(dialogue: Dialogue, move: AskFor | Say | ReadManuals) -> Said:
    if isinstance(move, AskFor):
        return Said(phrases.question(move, dialogue), dialogue)
    if isinstance(move, Say) and move.what == "done_already" and dialogue.done:
        return Said(phrases.done_already(dialogue.done, dialogue.language), dialogue)
    what = move.what if isinstance(move, Say) else "dropped"
    return Said(phrases.say(what, dialogue.language), dialogue, handoff_reason=FAILED if what == "give_up" else None)
