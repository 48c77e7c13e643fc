"""Walking a symptom tree: which tree a message begins, and where a reply leads; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Final, Self

from genai_app.agents.troubleshoot.replies import Reply, understand
from genai_app.agents.troubleshoot.tree import Tree, phrase_concepts
from genai_app.llm.vocabulary import Language, concepts
from genai_app.rag.embedding import shortened

_CLAUSE: Final = re.compile(
    r"[.,;:!?\n]+|\b(?:and|but|however|although|e|mas|porém|porem|só que|so que)\b", re.IGNORECASE
)
_NEGATION: Final = re.compile(r"\b(?:not|no|never|without|cannot|não|nao|nem|nunca|sem)\b|n[’']t\b", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a dialogue stands: at a question that waits for its reply, or at a diagnosis.

    `said` are questions that the customer answered yes before they were asked; `misunderstood` counts the replies to
    the present question that were none.
    """

    tree: str
    node: str
    language: Language
    answers: Mapping[str, Reply] = field(default_factory=dict)
    said: frozenset[str] = frozenset()
    misunderstood: int = 0

    def as_state(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "tree": self.tree,
            "node": self.node,
            "language": self.language,
            "answers": {question: reply.value for question, reply in self.answers.items()},
            "said": sorted(self.said),
            "misunderstood": self.misunderstood,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any], trees: Mapping[str, Tree]) -> Self | None:
        """The place again; None when there is none, or when the trees have changed since."""
        try:
            place = cls(
                tree=state["tree"],
                node=state["node"],
                language="pt" if state["language"] == "pt" else "en",
                answers={question: Reply(reply) for question, reply in state["answers"].items()},
                said=frozenset(state["said"]),
                misunderstood=int(state["misunderstood"]),
            )
            known = trees[place.tree].questions.keys()
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return place if {place.node, *place.answers, *place.said} <= known else None


def topic(tree: Tree, place: Place) -> str:
    """What a dialogue is about, in English words to search the manuals with: its title and the confirmed signs."""
    confirmed = (tree.questions[name].ask.en for name, reply in place.answers.items() if reply is Reply.YES)
    return " ".join([tree.title.en, *confirmed])


def fitting(trees: Mapping[str, Tree], message: str) -> Tree | None:
    """The tree whose longest fitting symptom is longest; of equals the one that explains more, then the first."""
    heard = _hear(message).everything

    def fit(tree: Tree) -> tuple[int, int]:
        if any(phrase_concepts(phrase) <= heard for phrase in tree.never):
            return 0, 0
        phrases = (phrase_concepts(phrase) for phrase in tree.symptoms)
        return max((len(phrase) for phrase in phrases if phrase <= heard), default=0), len(told(tree, message))

    best = max(trees.values(), key=fit, default=None)  # of equals the first
    return best if best is not None and fit(best)[0] else None


def begin(tree: Tree, message: str, language: Language) -> Place:
    """The first question that is worth asking after `message`, or the diagnosis when there is none."""
    place = Place(tree.name, tree.start, language, said=told(tree, message))
    return _onward(tree, place)


def next_node(tree: Tree, place: Place, message: str) -> Place:
    """Where `message` leads from the question at `place`; the same place, misunderstood, when it is no reply to it."""
    question = tree.questions[place.node]
    now_told = told(tree, message)
    reply = understand(message)
    if reply not in (Reply.YES, Reply.NO, Reply.UNKNOWN):
        reply = Reply.YES if place.node in now_told else Reply.NO if place.node in denied(tree, message) else None
    said = place.said | now_told
    if reply is None:
        return replace(place, said=said, misunderstood=place.misunderstood + 1)
    onward = {
        Reply.YES: question.if_yes,
        Reply.NO: question.if_no,
        Reply.UNKNOWN: question.if_unknown or question.if_no,
    }[reply]
    answers = {**place.answers, place.node: reply}
    return _onward(tree, replace(place, node=onward, answers=answers, said=said, misunderstood=0))


def told(tree: Tree, message: str) -> frozenset[str]:
    """The questions of `tree` that `message` answers yes without being asked."""
    heard = _hear(message)

    def fits(phrase: str) -> bool:
        """Whether it is said; "key not detected" is itself a negation, and fits a message that denies something."""
        if _is_negation(phrase):
            return bool(heard.denied) and phrase_concepts(phrase) <= heard.everything
        return phrase_concepts(phrase) <= heard.affirmed

    return frozenset(name for name, question in tree.questions.items() if any(map(fits, question.said)))


def denied(tree: Tree, message: str) -> frozenset[str]:
    """The questions of `tree` that `message` answers no in its own words: "it does not grind"."""
    heard = _hear(message)
    return frozenset(
        name
        for name, question in tree.questions.items()
        for phrase in question.said
        if not _is_negation(phrase) and any(phrase_concepts(phrase) <= clause for clause in heard.denied)
    )


@dataclass(frozen=True)
class _Heard:
    """The concepts of a message: all, those of its clauses without a negation, and those of each clause with one."""

    everything: frozenset[str]
    affirmed: frozenset[str]
    denied: tuple[frozenset[str], ...]


@lru_cache(maxsize=128)
def _hear(message: str) -> _Heard:
    """Read once for all trees; of a long message its beginning and its end."""
    text = shortened(message)
    clauses = _CLAUSE.split(text)
    affirmed = " ".join(clause for clause in clauses if not _NEGATION.search(clause))
    negated = tuple(frozenset(concepts(clause)) for clause in clauses if _NEGATION.search(clause))
    return _Heard(frozenset(concepts(text)), frozenset(concepts(affirmed)), negated)


@cache
def _is_negation(phrase: str) -> bool:
    return _NEGATION.search(phrase) is not None


def _onward(tree: Tree, place: Place) -> Place:
    """Past the questions that need no asking.

    What is already known to be critical is said at once. Otherwise a question is passed when its answer is known, or
    when something further on is known and this one could not turn out critical.
    """
    known = place.said - place.answers.keys()
    urgent = next((name for name, q in tree.questions.items() if name in known and _critical(tree, q.if_yes)), None)
    if urgent is not None:
        return replace(place, node=tree.questions[urgent].if_yes, answers={**place.answers, urgent: Reply.YES})
    node, answers = place.node, dict(place.answers)
    while (question := tree.questions.get(node)) is not None:
        if node in known:
            answers[node] = Reply.YES
            node = question.if_yes
        elif _critical(tree, question.if_yes) or not known & _ahead(tree, node):
            break
        else:
            node = question.if_no if known & _ahead(tree, question.if_no) else question.if_yes
    return replace(place, node=node, answers=answers)


def _critical(tree: Tree, node: str) -> bool:
    return node in tree.diagnoses and tree.diagnoses[node].severity == "critical"


def _ahead(tree: Tree, node: str) -> frozenset[str]:
    """The questions from `node` on, itself among them."""
    question = tree.questions.get(node)
    if question is None:
        return frozenset()
    return frozenset({node}) | _ahead(tree, question.if_yes) | _ahead(tree, question.if_no)
