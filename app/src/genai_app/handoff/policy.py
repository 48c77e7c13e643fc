"""When a person takes over: pure decisions, first on the words of a message, then on what the agents made of it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from genai_app.handoff.phrases import STRUCK_OUT, Table, sentences, tables
from genai_app.llm.vocabulary import language

FAILURES_IN_A_ROW: Final = 3
"""So many unsure answers one after the other are a conversation that does not work, not a question out of reach."""


class HandoffReason(StrEnum):
    """Why a person takes over; the desk and the metric get this word."""

    SAFETY_CONCERN = "safety_concern"
    USER_REQUEST = "user_request"
    SENSITIVE_TOPIC = "sensitive_topic"
    LOW_CONFIDENCE = "low_confidence"
    REPEATED_FAILURE = "repeated_failure"
    COMPLEX_ISSUE = "complex_issue"


ON_WORDS: Final = (HandoffReason.SAFETY_CONCERN, HandoffReason.USER_REQUEST, HandoffReason.SENSITIVE_TOPIC)
"""What words alone can say, in the order in which they are asked."""


def decide_on_words(text: str) -> HandoffReason | None:
    """The first reason that the words of a message give: danger, then the wish for a person, then a matter of law."""
    said = sentences(text)
    counts_english = language(text) == "en"
    return next((reason for reason in ON_WORDS if _speaks_for(tables()[reason], said, english=counts_english)), None)


def decide_on_confidence(confidence: float, threshold: float, *, earlier_failures: int = 0) -> HandoffReason | None:
    """Whether an answer of this confidence (0..1) needs a person: only strictly below the threshold.

    `earlier_failures` are the unsure answers of the session directly before this one.
    """
    if confidence >= threshold:
        return None
    repeated = earlier_failures + 1 >= FAILURES_IN_A_ROW
    return HandoffReason.REPEATED_FAILURE if repeated else HandoffReason.LOW_CONFIDENCE


def failures_in_a_row(confidences: Sequence[float | None], threshold: float) -> int:
    """The unsure answers at the end of a session's answers (oldest first); None, not measured, ends them."""
    sure = (confidence is None or confidence >= threshold for confidence in reversed(confidences))
    return next((number for number, is_sure in enumerate(sure) if is_sure), len(confidences))


def decide_on_diagnosis(*, requires_professional: bool, safety_warning: str | None) -> HandoffReason | None:
    """A fault that needs a workshop and forbids driving there is more than a booking: somebody arranges the rest."""
    return HandoffReason.COMPLEX_ISSUE if requires_professional and safety_warning else None


def _speaks_for(table: Table, said: list[str], *, english: bool) -> bool:
    for sentence in said:
        meant = table.never.sub(STRUCK_OUT, sentence)
        found = table.either.search(meant) or (english and table.english.search(meant))
        if found and not (table.general.search(sentence) and not table.present.search(sentence)):
            return True
    return False
