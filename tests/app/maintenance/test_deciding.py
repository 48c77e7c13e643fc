"""What may never happen in a dialogue, whatever is written; and that a state survives being stored."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.agents.maintenance.deciding import learn, next_move
from genai_app.agents.maintenance.dialogue import Dialogue, Perform, ReadManuals, from_json, to_json
from genai_app.agents.maintenance.hearing import hear
from genai_app.agents.maintenance.results import (
    Done,
    FreeSlots,
    NoCustomer,
    NotFree,
    Own,
    Price,
    Prices,
    Proposal,
    Result,
    Unknown,
)
from genai_app.scheduling.services import services
from genai_app.scheduling.values import Appointment

TODAY = date(2026, 11, 25)
TEN = datetime(2026, 12, 1, 10, tzinfo=UTC)
APPOINTMENT = Appointment("APT-BCDFGHJK", "oil_change", TEN, TEN.replace(hour=11), "scheduled")
PROPOSAL = Proposal("book", "oil_change", TEN, key="k")
RESULTS: tuple[Result, ...] = (
    PROPOSAL,
    Proposal("cancel", "oil_change", TEN, key="k", confirmation="APT-BCDFGHJK"),
    Done("book", APPOINTMENT),
    FreeSlots(TODAY, 1, (TEN, TEN.replace(hour=12))),
    FreeSlots(TODAY, 1, (), (TEN,)),
    FreeSlots(TODAY, 1, ()),
    NotFree(TEN, (TEN.replace(hour=9),)),
    NotFree(TEN, ()),
    Own((APPOINTMENT,)),
    Own((APPOINTMENT, APPOINTMENT)),
    Own(()),
    Unknown("APT-X"),
    NoCustomer(),
    Prices((Price("oil_change", services()[0].from_usd, services()[0].to_usd),)),
)
MESSAGES = (
    "book an oil change next Tuesday at 10",
    "quero agendar",
    "brakes",
    "Friday at 2 pm",
    "the first one",
    "3/4",
    "cancel my appointment",
    "move it to Thursday",
    "yes",
    "sim",
    "no",
    "hmm",
    "How much is it?",
    "quanto custa a bateria?",
    "What is the tyre pressure?",
    "what are my appointments?",
)


@given(st.lists(st.tuples(st.sampled_from(MESSAGES), st.sampled_from(RESULTS)), max_size=8))
def test_only_a_yes_right_after_a_proposal_performs_it_and_only_once(
    turns: list[tuple[str, Result]],
) -> None:
    dialogue, proposed = Dialogue(), False
    for message, result in turns:
        heard = hear(message, TODAY)
        dialogue, move = next_move(dialogue, heard, TODAY)
        assert isinstance(move, Perform) == (heard.yes and proposed)
        if isinstance(move, Perform):
            dialogue = learn(dialogue, Done(move.proposal.action, APPOINTMENT))
        elif not isinstance(move, ReadManuals):
            dialogue = learn(dialogue, result)
        proposed = dialogue.proposal is not None
        dialogue = from_json(to_json(dialogue))
        assert (dialogue.proposal is not None) == proposed


@given(st.text(max_size=60))
def test_no_other_text_performs_a_proposal(text: str) -> None:
    dialogue = learn(Dialogue(goal="book"), PROPOSAL)
    _, move = next_move(dialogue, hear(text, TODAY), TODAY)
    assert isinstance(move, Perform) == hear(text, TODAY).yes


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
@pytest.mark.parametrize("goal", ["book", "reschedule", "cancel"])
def test_a_state_survives_being_stored(goal: str, result: Result) -> None:
    dialogue = learn(from_json({"goal": goal, "service": "oil_change", "language": "pt"}), result)
    again = from_json(to_json(dialogue))
    assert again.language == ("pt" if to_json(dialogue) else "en")
    assert (again.goal, again.proposal, again.done, again.offered) == (
        dialogue.goal, dialogue.proposal, dialogue.done, dialogue.offered,
    )  # fmt: skip


@pytest.mark.parametrize("state", [None, [], "x", 1, {"goal": 1}, {"proposal": {}}, {"day": "soon"}])
def test_a_strange_state_is_a_fresh_dialogue(state: object) -> None:
    assert from_json(state) == Dialogue()
