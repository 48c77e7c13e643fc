"""A model at work with the tools: it calls them, at most four rounds of it, and writes the answer.

A proposal ends the round: what a "yes" will mean is said in our own words, never in the model's.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from genai_app.agents import manuals
from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import Answer, Question, Step, Token, ToolUse
from genai_app.agents.maintenance import phrases
from genai_app.agents.maintenance.deciding import learn
from genai_app.agents.maintenance.dialogue import Dialogue, to_json
from genai_app.agents.maintenance.results import Proposal, Result
from genai_app.agents.maintenance.tools import TOOLS, use
from genai_app.agents.maintenance.workshop import Workshop
from genai_app.agents.manuals import Found
from genai_app.agents.marker import Held
from genai_app.agents.profiles import Agent, by_name
from genai_app.agents.writing import CUT_OFF, REPEATED_FAILURE, Written
from genai_app.errors import ModelDown
from genai_app.llm.chat_model import ChatRequest, Completion, Done, Message, TextDelta, ToolCall, ToolSpec
from genai_app.llm.failures import ModelCut
from genai_app.llm.offline import NOT_FOUND
from genai_app.llm.vocabulary import language
from genai_app.scheduling.services import services
from genai_app.scheduling.values import SchedulerDown

log = structlog.get_logger(__name__)

ROUNDS: Final = 4
NAME: Final = "maintenance"
SPECS: Final = tuple(ToolSpec(tool.name, tool.description, tool.schema) for tool in TOOLS.values())


NOTHING_YET: Final = Completion(text="", tokens_in=0, tokens_out=0, model="")


@dataclass(frozen=True)
class Conversed:
    """The whole answer, last."""

    answer: Answer


@dataclass
class _Talk:
    """What has come so far."""

    messages: tuple[Message, ...]
    dialogue: Dialogue
    shown: str = ""
    held: Held = field(default_factory=Held)
    tools: tuple[ToolUse, ...] = ()
    proposal: Proposal | None = None
    completion: Completion = NOTHING_YET


async def converse(
    ctx: AgentContext, question: Question, dialogue: Dialogue
) -> AsyncGenerator[Step | Token | Conversed]:
    """Steps and tokens, then the answer. Raises ModelDown before the first token, and DatabaseDown."""
    agent, shop = by_name(NAME), ctx.workshop
    yield Step("rag_retrieval")
    found = await manuals.look_up(ctx, agent, question)
    request = manuals.request(ctx, agent, question, found, notes=notes(shop, dialogue))
    talk = _Talk(request.messages, replace(dialogue, proposal=None, language=language(question.text)))
    yield Step("generating")
    reason = None
    try:
        for number in range(ROUNDS + 1):
            offered = SPECS if number < ROUNDS else ()
            async with aclosing(_round(ctx, replace(request, messages=talk.messages, tools=offered), talk)) as tokens:
                async for token in tokens:
                    yield token
            calls = talk.completion.tool_calls if offered else ()
            if not calls:
                break
            yield Step("tool_call")
            await _call_all(ctx, question, talk, calls)
            if talk.proposal:
                break
    except ModelDown as down:
        if not talk.shown:
            raise
        log.warning("model_cut", reason=str(down), shown=len(talk.shown))
        if isinstance(down, ModelCut):
            talk.completion = _added(talk.completion, down.partial)
        reason = REPEATED_FAILURE
    ending = _ending(talk, question, cut=reason is not None)
    if ending and (talk.shown or talk.proposal or reason):
        yield Token(ending)
    yield Conversed(_answer(ctx, agent, found, talk, talk.shown + ending, reason))


async def _round(ctx: AgentContext, request: ChatRequest, talk: _Talk) -> AsyncGenerator[Token]:
    """One call of the model: its text as it comes; `talk` then holds the completion."""
    between = "\n\n" if talk.shown else ""
    async with aclosing(ctx.model.stream(request)) as deltas:
        async for delta in deltas:
            piece = ""
            if isinstance(delta, TextDelta):
                piece = talk.held.push(delta.text)
            elif isinstance(delta, Done):
                talk.completion = _added(talk.completion, delta.completion)
                piece = "" if delta.completion.tool_calls else talk.held.rest()
            if piece:
                talk.shown += between + piece
                yield Token(between + piece)
                between = ""


async def _call_all(ctx: AgentContext, question: Question, talk: _Talk, calls: tuple[ToolCall, ...]) -> None:
    """Run what the model asked for, up to the first proposal, and tell it what came of it."""
    answered: list[Message] = []
    for call in calls:
        result = await _call(ctx, question, call)
        used = ToolUse(call.name, dict(call.arguments), _told(result), ok=not isinstance(result, str))
        talk.tools = (*talk.tools, used)
        answered.append(Message("tool", json.dumps(used.result, ensure_ascii=False), tool_call_id=call.id))
        if isinstance(result, Proposal):
            talk.proposal = result
            talk.dialogue = learn(talk.dialogue, result)
            return
    asked = Message("assistant", talk.completion.text, tool_calls=calls)
    talk.messages = (*talk.messages, asked, *answered)


async def _call(ctx: AgentContext, question: Question, call: ToolCall) -> Result | str:
    """The result, or what was wrong with the call, for the model to mend."""
    tool = TOOLS.get(call.name)
    if tool is None:
        return f"There is no tool {call.name!r}. Tools: {', '.join(TOOLS)}."
    try:
        arguments = tool.arguments.model_validate(dict(call.arguments))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems)
    try:
        return await use(ctx.workshop, question.customer, call.name, arguments)
    except SchedulerDown as down:
        return str(down)


def as_json(result: Result) -> dict[str, Any]:
    """A result as JSON, with its kind; without the key, which is nobody's business."""
    found: dict[str, Any] = to_jsonable_python(result)
    return {"result": type(result).__name__, **{name: value for name, value in found.items() if name != "key"}}


def notes(shop: Workshop, dialogue: Dialogue) -> tuple[str, ...]:
    """What the model must know of the workshop and of what is under way."""
    now = shop.local(shop.now())
    lines = (
        f"It is {now:%A %Y-%m-%d %H:%M} at the workshop ({shop.zone.key}).",
        f"Services: {', '.join(each.name for each in services())}.",
        "Appointments, free times, service history and prices come from the tools only; their results count as "
        "passages. Ask for a service, a day or a time that the customer has not named. Nothing is booked, moved or "
        "cancelled by you: the tools propose it, and the customer confirms.",
    )
    if dialogue.proposal is None:
        return lines
    pending = phrases.proposal(dialogue.proposal, "en")
    return (*lines, f"The customer was asked and has not said yes: {pending} Propose again when they want a change.")


def _told(result: Result | str) -> Mapping[str, Any]:
    return {"error": result} if isinstance(result, str) else as_json(result)


def _ending(talk: _Talk, question: Question, *, cut: bool) -> str:
    between = "\n\n" if talk.shown else ""
    if talk.proposal:
        return between + phrases.result(talk.proposal, talk.dialogue)
    if cut:
        return CUT_OFF[language(question.text)]
    return "" if talk.shown else NOT_FOUND[language(question.text)]


def _answer(ctx: AgentContext, agent: Agent, found: Found, talk: _Talk, text: str, reason: str | None) -> Answer:
    answered = bool(talk.proposal or (talk.shown and not talk.held.found))
    nearest = max((passage.similarity for passage in manuals.given(ctx, found)), default=0.0)
    by_tools = 1.0 if any(each.ok for each in talk.tools) else 0.0
    covered = max(found.covered, ctx.embedder.scale.strength(nearest), by_tools)
    completion = replace(talk.completion, answered=answered)
    answer = Answer(
        text=text,
        agent=agent.name,
        confidence=manuals.confidence(covered, answered=answered),
        tools=talk.tools,
        state=to_json(talk.dialogue),
        language=talk.dialogue.language,
        answered=answered,
    )
    written = Written(completion, completion.provider or ctx.model.provider, reason)
    return manuals.credited(ctx, answer, found, written)


def _added(before: Completion, after: Completion) -> Completion:
    """The last round's completion with the tokens and the cost of all."""
    return replace(
        after,
        tokens_in=before.tokens_in + after.tokens_in,
        tokens_out=before.tokens_out + after.tokens_out,
        cost_usd=before.cost_usd + after.cost_usd,
        cost_known=before.cost_known and after.cost_known,
    )
