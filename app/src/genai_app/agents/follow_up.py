"""Understanding a question that only makes sense after the one before it; pure.

"And how often must it be changed?" after "Which oil does it take?" is about the oil.
"""

import re
from dataclasses import dataclass
from typing import Final

from genai_app.agents.conversation import Question
from genai_app.llm.vocabulary import concepts, things

_CONNECTS: Final = re.compile(
    r"^\W*(?:and|but|also|so|then|what about|how about|e|mas|também|tambem|então|entao)\b", re.IGNORECASE
)
_POINTS_BACK: Final = re.compile(
    r"\b(?:it|its|this|that|these|those|them|they|ele|ela|eles|elas|isso|isto|dele|dela|esse|essa)\b", re.IGNORECASE
)
SHORT: Final = 3
"""Words. "How often?" and "Por quê?" point back without a pronoun."""
FURTHEST: Final = 3
"""Earlier questions that may be looked through for the one that names the thing."""


@dataclass(frozen=True)
class Standalone:
    """The question as it can be searched on its own, and the concepts that it takes over (empty: it stands alone)."""

    text: str
    topic: tuple[str, ...]


def standalone(question: Question) -> Standalone:
    """Join a follow-up with the question that names what it is about."""
    earlier = [message.content for message in question.history if message.role == "user"][-FURTHEST:]
    if not earlier or not refers_back(question.text):
        return Standalone(question.text, ())
    chain: list[str] = []
    for text in reversed(earlier):
        chain.insert(0, text)
        if things(concepts(text)) and not refers_back(text):
            break
    topic = tuple(dict.fromkeys(concept for text in reversed(chain) for concept in concepts(text)))
    return Standalone(" ".join([*chain, question.text]), topic)


def refers_back(text: str) -> bool:
    """Whether a text leans on what was said before it."""
    if _CONNECTS.search(text):
        return True
    named = things(concepts(text))
    return not named and (_POINTS_BACK.search(text) is not None or len(text.split()) <= SHORT)
