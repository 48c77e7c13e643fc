"""The troubleshooter: a safety warning first, then one question of a symptom tree after the other, then the diagnosis.

The trees decide where a dialogue goes, with a model as without. A model words what the manuals say at the beginning
and the diagnosis at the end; warnings and questions are always the trees' own words.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

from genai_app.agents import manuals
from genai_app.agents.context import AgentContext
from genai_app.agents.conversation import AgentEvent, Answer, DiagnosticResult, Question, Source, Step, Token
from genai_app.agents.profiles import by_name
from genai_app.agents.troubleshoot import safety, wording
from genai_app.agents.troubleshoot.plan import Move, Plan, confidence, is_reply, plan
from genai_app.agents.troubleshoot.tree import Tree, load_trees
from genai_app.agents.troubleshoot.walk import Place, topic
from genai_app.agents.writing import REPEATED_FAILURE, Written, write
from genai_app.llm.chat_model import ChatRequest, Completion, Evidence
from genai_app.llm.offline import MODEL, OfflineModel
from genai_app.llm.vocabulary import Language

AGENT: Final = by_name("troubleshoot")
BEFORE_A_QUESTION: Final = (
    "A question that narrows the cause down is put after your text, in fixed words: ask nothing yourself.",
)
AT_THE_END: Final = (
    "The first passage is the diagnosis of a symptom tree, made from the customer's replies: explain it, keep its "
    "severity and every action, and add nothing that contradicts it.",
)
GIVEN_UP: Final = 0.3
"""Confidence of giving up: a person is asked to help."""


@dataclass(frozen=True)
class Turn:
    """One message in a tree: where it led, and the diagnosis when that is the end."""

    tree: Tree
    place: Place
    move: Move
    diagnosis: DiagnosticResult | None
    warning: str | None

    @classmethod
    def of(cls, made: Plan, tree: Tree, place: Place, message: str) -> "Turn":
        """What `made` means for what is said; pure."""
        diagnosis = wording.result(tree, place) if place.node in tree.diagnoses else None
        own = diagnosis.safety_warning if diagnosis else None
        return cls(tree, place, made.move, diagnosis, own or safety.warning(message, place.language))

    def tree_sources(self, found: manuals.Found) -> tuple[Source, ...]:
        """The sections of the manuals that the tree was made from, as far as they are installed and were found."""
        named = (p for p in found.candidates if p.heading.rpartition(" > ")[2] in self.tree.sections)
        return tuple(map(manuals.source, named))

    @property
    def fixed_words(self) -> str:
        """The diagnosis or the question as the tree has it."""
        if self.diagnosis:
            return wording.explain(self.diagnosis, self.tree.title.of(self.place.language), self.place.language)
        return wording.ask(self.tree, self.place, again=self.move is Move.ASK_AGAIN)


@dataclass(frozen=True)
class Body:
    """What is said after the warning, from which passages, and what stands in for a model.

    With `whole` it says all that there is to say: the fixed words do not follow.
    """

    request: ChatRequest
    found: manuals.Found
    instead: Completion
    whole: bool = False


class Speech:
    """The text of one turn so far, as it is shown."""

    def __init__(self) -> None:
        self.text = ""

    def say(self, piece: str) -> Token:
        """The next piece of the same paragraph."""
        self.text += piece
        return Token(piece)

    def paragraph(self, piece: str) -> Token:
        """The first piece of a new paragraph."""
        return self.say(f"\n\n{piece}" if self.text else piece)


async def work(ctx: AgentContext, question: Question) -> AsyncIterator[AgentEvent]:
    """One message of a dialogue, or of none when no tree fits it. Raises DatabaseDown."""
    trees = load_trees()
    made = plan(trees, question.session_state, question.text)
    if made.place is not None:
        tree = trees[made.place.tree]
        events = _in_tree(ctx, question, Turn.of(made, tree, made.place, question.text))
    elif made.move is Move.NO_TREE:
        events = _without_tree(ctx, question, safety.warning(question.text, made.language))
    else:
        events = _ended(made.move, made.language)
    async for event in events:
        yield event


def continues(question: Question) -> bool:
    """Whether a message is a clear reply to the question that the troubleshooter asked last."""
    return is_reply(load_trees(), question.session_state, question.text)


async def _in_tree(ctx: AgentContext, question: Question, turn: Turn) -> AsyncIterator[AgentEvent]:
    """The warning, what the manuals or a model say when fixed words are not enough, and those."""
    speech, written = Speech(), None
    if turn.warning:
        yield speech.paragraph(turn.warning)
    body = None
    if turn.move is Move.BEGIN or (turn.diagnosis and ctx.has_model):
        yield Step("rag_retrieval")
        body = await _body(ctx, question, turn)
    yield Step("generating")
    if body is not None:
        say = speech.paragraph
        async for event in write(ctx, body.request, body.instead):
            if isinstance(event, Token):
                yield say(event.text)
                say = speech.say
            else:
                written = event
    if body is None or not body.whole:
        yield speech.paragraph(turn.fixed_words)
    yield _answer(ctx, turn, speech.text, body, written)


async def _body(ctx: AgentContext, question: Question, turn: Turn) -> Body:
    """The passages about the fault, and with a model the diagnosis as the first of them."""
    replied = turn.move is not Move.BEGIN  # "no" finds nothing
    found = await manuals.look_up(
        ctx, AGENT, replace(question, text=topic(turn.tree, turn.place)) if replied else question
    )
    if turn.diagnosis is None or not ctx.has_model:
        request = manuals.request(ctx, AGENT, question, found, notes=BEFORE_A_QUESTION)
        return Body(request, found, found.quotation(question))
    tree = Evidence(f"Symptom tree > {turn.tree.title.en}", turn.fixed_words)
    request = manuals.request(ctx, AGENT, question, found, notes=AT_THE_END, first=(tree,))
    instead = Completion(turn.fixed_words, 0, 0, MODEL, provider=OfflineModel.provider)
    return Body(request, found, instead, whole=True)


def _answer(ctx: AgentContext, turn: Turn, text: str, body: Body | None, written: Written | None) -> Answer:
    asks = turn.diagnosis is None
    answer = Answer(
        text=text,
        agent=AGENT.name,
        confidence=confidence(turn.tree, turn.place),
        state=turn.place.as_state() if asks else {},
        diagnosis=turn.diagnosis,
        requires_professional=turn.diagnosis is not None and turn.diagnosis.requires_professional,
        safety_warning=turn.warning,
        language=turn.place.language,
    )
    if body is None or written is None:
        return answer
    credited = manuals.credited(ctx, answer, body.found, written)
    return replace(credited, sources=credited.sources or turn.tree_sources(body.found))


async def _without_tree(ctx: AgentContext, question: Question, warning: str | None) -> AsyncIterator[AgentEvent]:
    """What the manuals say, after the warning if there is one: then even "I do not know" is an answer."""
    speech = Speech()
    if warning:
        yield speech.paragraph(warning)
    say = speech.paragraph
    async for event in manuals.answer(ctx, AGENT, question):
        if isinstance(event, Token):
            yield say(event.text)
            say = speech.say
        elif isinstance(event, Answer) and warning:
            if not event.answered:
                yield say(event.text)
            yield replace(event, text=speech.text, answered=True, requires_professional=True, safety_warning=warning)
        else:
            yield event


async def _ended(move: Move, language: Language) -> AsyncIterator[AgentEvent]:
    """The dialogue ends without a diagnosis."""
    yield Step("generating")
    text = (wording.STOPPED if move is Move.STOP else wording.GIVEN_UP)[language]
    yield Token(text)
    if move is Move.STOP:
        yield Answer(text, AGENT.name, confidence=1.0, language=language)
    else:
        yield Answer(text, AGENT.name, confidence=GIVEN_UP, language=language, handoff_reason=REPEATED_FAILURE)
