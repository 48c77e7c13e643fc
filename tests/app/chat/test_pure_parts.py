"""The parts of a turn that need nobody else."""

import asyncio
from dataclasses import asdict
from decimal import Decimal
from uuid import uuid4

from genai_app.agents.conversation import Answer, DiagnosticResult, Routing, Source, ToolUse
from genai_app.chat.finishing import to_its_end
from genai_app.chat.stored_answers import complete, details, usage
from genai_app.handoff.policy import HandoffReason
from genai_app.handoff.ticket import Ticket

ANSWER = Answer(
    text="Done.",
    agent="maintenance",
    confidence=0.9,
    sources=(Source("manual.md", "Oil", "manual", 0.8),),
    routing=Routing("maintenance", 0.7, "embedding_margin", rerouted=True),
    provider="openrouter",
    model="stub-model",
    tokens_in=11,
    tokens_out=7,
    cost_usd=Decimal("0.0012"),
    tools=(ToolUse("book", {"service": "oil_change"}, {"confirmation": "APT-1"}),),
    diagnosis=DiagnosticResult(("noise",), ("worn pads",), ("have them changed",), "high", True, "Do not drive."),
    requires_professional=True,
    safety_warning="Do not drive.",
    language="pt",
)
TICKET = Ticket("ESC-1", HandoffReason.COMPLEX_ISSUE, "queued", 5, "pt")


def row(stored: dict[str, object]) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "text": ANSWER.text,
        "agent": ANSWER.agent,
        "confidence": ANSWER.confidence,
        "sources": [{"source": "manual.md", "heading": "Oil", "document_type": "manual", "score": 0.8}],
        "details": stored,
    }


def test_a_stored_answer_is_given_again_with_all_that_belonged_to_it() -> None:
    again = complete(row(details(ANSWER, cached=False) | {"handoff": asdict(TICKET)}), "s1")
    assert (again.answer, again.handoff, again.cached, again.session_id) == (ANSWER, TICKET.as_json(), False, "s1")
    assert "Seu protocolo é ESC-1" in TICKET.message
    assert again.usage == usage(ANSWER, cached=False)
    assert again.usage.cost_usd == Decimal("0.0012")


def test_an_answer_of_an_older_build_has_less_to_give() -> None:
    again = complete(row({}), "s1")
    assert (again.answer.text, again.answer.sources, again.answer.tools) == ("Done.", ANSWER.sources, ())
    assert (again.handoff, again.cached) == (None, False)


def test_who_gets_a_known_answer_does_not_pay_again() -> None:
    assert usage(ANSWER, cached=True).cost_usd == 0


async def test_what_must_not_stop_half_way_does_not() -> None:
    gate, done = asyncio.Event(), []

    async def work() -> str:
        await gate.wait()
        done.append(True)
        return "stored"

    task = asyncio.create_task(to_its_end(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    gate.set()
    assert await task == "stored"
    assert done == [True]
    assert task.cancelling() == 0
