"""What customers notice of a handoff, through the API: danger goes first, no model is asked, nobody is lost."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.app.conftest import QUESTION, Api, Servers, running_api, until
from tests.app.handoff.conftest import SECRET
from tests.app.handoff.desk_stub import Desk
from tests.app.openai_stub import running_stub

from genai_app.evaluation import unanswerable

pytestmark = pytest.mark.service

ANSWERABLE = Path(__file__).parents[1] / "rag/answerable.jsonl"


@pytest.fixture
async def with_desk(servers: Servers, database: str, desk: Desk, redis: Redis) -> AsyncIterator[Api]:
    """An API whose handoffs go to `desk`."""
    _ = redis
    settings = servers.settings(database, HUMAN_SUPPORT_WEBHOOK=desk.url, HUMAN_SUPPORT_WEBHOOK_SECRET=SECRET)
    async with running_api(settings) as running:
        yield running


@pytest.mark.parametrize(
    ("message", "reason", "says"),
    [
        ("My brakes failed, what now?", "safety_concern", "do not drive on"),
        ("Quero falar com um atendente", "user_request", "Uma pessoa da nossa equipe assume"),
        ("I had an accident", "sensitive_topic", "call an ambulance first"),
    ],
)
async def test_words_alone_bring_a_person_and_the_customer_a_ticket(
    message: str, reason: str, says: str, with_desk: Api, desk: Desk
) -> None:
    who = await with_desk.register()
    reply = (await with_desk.chat(who, message)).json()
    assert says in reply["response"]
    assert reply["handoff"]["reason"] == reason
    assert reply["handoff"]["ticket"] in reply["handoff"]["message"]
    assert (reply["cached"], reply["sources"]) == (False, [])
    await until(lambda: desk.tickets == [reply["handoff"]["ticket"]])
    assert desk.received[0].json["last_user_message"] == message
    assert (await with_desk.metrics())[f'human_handoff_total{{agent="none",reason="{reason}"}}'] == 1


async def test_a_conversation_goes_to_the_desk_as_far_as_it_went(with_desk: Api, desk: Desk) -> None:
    who = await with_desk.register()
    first = (await with_desk.chat(who, QUESTION)).json()
    assert first["handoff"] is None
    second = (await with_desk.chat(who, "I want to speak to a human", session_id=first["session_id"])).json()
    await until(lambda: desk.tickets == [second["handoff"]["ticket"]])
    [received] = desk.received
    asked, answered, *_, wished = received.json["conversation_summary"].splitlines()
    assert asked == f"Customer: {QUESTION}"
    assert "5W-30" in answered
    assert wished == "Customer: I want to speak to a human"
    history = await with_desk.client.get(f"/api/v1/chat/history/{first['session_id']}", headers=who.headers)
    assert [item["role"] for item in history.json()["items"]] == ["user", "assistant"] * 2


async def test_no_model_is_asked_when_the_words_decide(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    async with running_stub() as model:
        settings = servers.settings(
            database, OPENROUTER_API_KEY="k", OPENROUTER_BASE_URL=model.base_url, EMBEDDING_PROVIDER="packaged"
        )
        async with running_api(settings) as api:
            who = await api.register()
            assert (await api.chat(who, "There is smoke coming from the engine")).json()["handoff"] is not None
            assert model.requests == []
            assert (await api.chat(who, QUESTION)).json()["handoff"] is None
            assert len(model.requests) >= 1


async def test_an_honest_offline_answer_with_sources_is_seldom_a_handoff_and_an_unknown_one_always(api: Api) -> None:
    async def handed_over(questions: Sequence[str]) -> list[bool]:
        who = await api.register()
        replies = [(await api.chat(who, question)).json() for question in questions[::4]]
        assert all(reply["handoff"] is not None or reply["confidence"] >= 0.7 for reply in replies)
        return [reply["handoff"] is not None for reply in replies]

    rows = ANSWERABLE.read_text(encoding="utf-8").splitlines()
    known = await handed_over([json.loads(row)["question"] for row in rows])
    assert sum(known) <= len(known) * 0.1
    assert all(await handed_over([asked.question for asked in unanswerable.load()]))


async def test_the_threshold_is_a_setting(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    reasons = []
    for threshold in ("", "0"):
        async with running_api(servers.settings(database, CONFIDENCE_THRESHOLD=threshold)) as api:
            reply = (await api.chat(await api.register(), "Who won the world cup in 2022?")).json()
            reasons.append(reply["handoff"] and reply["handoff"]["reason"])
    assert reasons == ["low_confidence", None]


async def test_unsure_answers_in_a_row_are_a_repeated_failure(own_api: Api) -> None:
    who = await own_api.register()
    reasons, session_id = [], None
    for unknown in (
        "What is the capital of France?",
        "Who won the world cup in 2022?",
        "Write me a poem about the sea",
    ):
        fields: dict[str, str] = {} if session_id is None else {"session_id": session_id}
        reply = (await own_api.chat(who, unknown, **fields)).json()
        session_id = reply["session_id"]
        reasons.append(reply["handoff"]["reason"])
    assert reasons == ["low_confidence", "low_confidence", "repeated_failure"]
    tickets = await own_api.sql("SELECT reason FROM handoffs ORDER BY created_at")
    assert tickets == [("low_confidence",), ("repeated_failure",)]
