"""What the troubleshooter does with a message, given where its dialogue stands; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from genai_app.agents.troubleshoot.replies import Reply, understand
from genai_app.agents.troubleshoot.tree import Tree
from genai_app.agents.troubleshoot.walk import Place, begin, fitting, next_node
from genai_app.llm.vocabulary import Language, language
from genai_app.rag.embedding import shortened

PATIENCE: Final = 2
"""So many replies in a row that are none: then a person is asked to help."""
ENOUGH_TO_TELL: Final = 3
"""Words from which a message tells its language; "no" is English and Portuguese."""
ASKED_AGAIN: Final = 0.7
"""Confidence of repeating a question: just enough to go on."""
UNKNOWN_COUNTS: Final = 0.5
"""What "I do not know" adds to the confidence of a diagnosis, where a yes or a no adds 1."""


class Move(StrEnum):
    """What is done."""

    NO_TREE = "no_tree"
    BEGIN = "begin"
    GO_ON = "go_on"
    ASK_AGAIN = "ask_again"
    GIVE_UP = "give_up"
    STOP = "stop"


@dataclass(frozen=True)
class Plan:
    """The move, in which language, and where it leads (None: the dialogue is over, or never began)."""

    move: Move
    language: Language
    place: Place | None = None


def plan(trees: Mapping[str, Tree], state: Mapping[str, Any], message: str) -> Plan:
    """A new dialogue when the message names a symptom of another tree; else the reply to the question that waits."""
    place = Place.of_state(state, trees)
    message = shortened(message)
    code = place.language if place and len(message.split()) < ENOUGH_TO_TELL else language(message)
    if place is not None and understand(message) is Reply.STOP:
        return Plan(Move.STOP, code)
    if place is not None:
        onward = next_node(trees[place.tree], place, message)
        if not onward.misunderstood:
            return Plan(Move.GO_ON, code, onward)
    tree = fitting(trees, message)
    if tree is not None and (place is None or tree.name != place.tree):
        return Plan(Move.BEGIN, code, begin(tree, message, code))
    if place is None:
        return Plan(Move.NO_TREE, code)
    if onward.misunderstood >= PATIENCE:
        return Plan(Move.GIVE_UP, code)
    return Plan(Move.ASK_AGAIN, code, onward)


def is_reply(trees: Mapping[str, Tree], state: Mapping[str, Any], message: str) -> bool:
    """Whether a message is a clear reply to the question that waits."""
    place = Place.of_state(state, trees)
    if place is None:
        return False
    return understand(message) is not None or not next_node(trees[place.tree], place, message).misunderstood


def confidence(tree: Tree, place: Place) -> float:
    """Of a question: 1, less when it is repeated. Of a diagnosis: the share of replies that were a yes or a no."""
    if place.node in tree.questions:
        return ASKED_AGAIN if place.misunderstood else 1.0
    worth = [UNKNOWN_COUNTS if reply is Reply.UNKNOWN else 1.0 for reply in place.answers.values()]
    return round(sum(worth) / len(worth), 3) if worth else 1.0
