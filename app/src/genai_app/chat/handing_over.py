"""Whether a turn goes to a person, and what the desk then gets: from the words, or from what the agents made; pure."""

from genai_app.agents.conversation import Answer, Routing
from genai_app.chat.ask import Turn
from genai_app.handoff import texts
from genai_app.handoff.policy import (
    HandoffReason,
    decide_on_confidence,
    decide_on_diagnosis,
    failures_in_a_row,
)
from genai_app.handoff.ticket import Handoff
from genai_app.llm.vocabulary import language

DESK = "handoff"
"""Who answers, in an answer's `agent`, when no agent was asked."""


def answer_on_words(reason: HandoffReason, text: str) -> Answer:
    """The whole answer to a message whose words alone call for a person; no model is asked."""
    code = language(text)
    return Answer(
        text=texts.answer(reason, code),
        agent=DESK,
        confidence=1.0,
        routing=Routing(DESK, 1.0, "words", rerouted=False),
        language=code,
        handoff_reason=reason.value,
    )


def reason_of(turn: Turn, answer: Answer, threshold: float) -> HandoffReason | None:
    """Why a person takes over after the agents have answered, if one does: they say so, or their answer does."""
    if answer.handoff_reason is not None:
        return HandoffReason(answer.handoff_reason)
    diagnosed = decide_on_diagnosis(
        requires_professional=answer.requires_professional, safety_warning=answer.safety_warning
    )
    failures = failures_in_a_row(turn.confidences, threshold)
    return diagnosed or decide_on_confidence(answer.confidence, threshold, earlier_failures=failures)


def handoff_of(turn: Turn, answer: Answer, reason: HandoffReason) -> Handoff:
    """What is handed over."""
    asked = answer.agent != DESK
    return Handoff(
        reason=reason,
        session_id=turn.session_id,
        user_id=turn.user_id,
        customer_id=turn.customer.customer_id if turn.customer else None,
        text=turn.ask.message,
        language=language(turn.ask.message),
        history=turn.history,
        answer=answer.text if asked else None,
        agent=answer.agent if asked else "none",
        confidence=answer.confidence if asked else None,
    )
