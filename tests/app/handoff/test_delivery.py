"""A handoff is never lost: it is stored with the messages and brought to the desk until the desk has it."""

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.app.conftest import environment
from tests.app.handoff.conftest import ROOT, SECRET, World, all_are, stored, until
from tests.app.handoff.desk_stub import GOOD, Desk, Reply
from tests.app.handoff.test_documentation import blocks

from genai_app import db
from genai_app.errors import Conflict
from genai_app.handoff import delivery
from genai_app.handoff.delivery import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, delivering, pause
from genai_app.handoff.desk import LocalDesk
from genai_app.handoff.policy import HandoffReason
from genai_app.handoff.service import build_desk, open_handoffs
from genai_app.handoff.webhook import WebhookDesk, receipt

pytestmark = pytest.mark.service


async def test_a_handoff_reaches_the_desk_signed_and_masked(world: World, desk: Desk) -> None:
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        ticket = await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "delivered"))
    [received] = desk.received
    signed = received.headers["x-genai-timestamp"].encode() + b"." + received.body
    expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(received.headers["x-genai-signature"], expected)
    assert abs(time.time() - int(received.headers["x-genai-timestamp"])) < 60
    sent = received.json
    assert sent.pop("timestamp").endswith("+00:00")
    assert sent == {
        "session_id": "s1",
        "customer_id": None,
        "reason": "user_request",
        "confidence_score": 0.4,
        "conversation_summary": "Customer: My CPF is [CPF]\nAssistant: Thank you\n"
        "Customer: My e-mail is [EMAIL], I want to speak to a human",
        "last_user_message": "My e-mail is [EMAIL], I want to speak to a human",
        "metadata": {"ticket": ticket.ticket, "agent": "specs", "language": "en"},
    }
    [row] = await world.rows()
    assert (row["status"], row["estimated_wait_minutes"], row["desk_ticket"], row["desk_agent"], row["payload"]) == (
        "assigned", 3, "T-1", "Rui", None,
    )  # fmt: skip
    assert received.headers["idempotency-key"] == str(row["id"])


async def test_the_customer_gets_a_ticket_that_the_desk_also_has(world: World, desk: Desk) -> None:
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        ticket = await world.hand_over(handoffs, world.handoff(language="pt"))
        await until(lambda: all_are(world, "delivered"))
    assert dict(ticket.as_json()) == {
        "ticket": desk.tickets[0],
        "reason": "user_request",
        "status": "queued",
        "estimated_wait_minutes": 5,
        "message": f"Seu protocolo é {ticket.ticket}. Uma pessoa da nossa equipe assume em cerca de 5 minutos.",
    }
    json.dumps(ticket.as_json())


async def test_metrics_say_who_was_handed_over_and_how_the_outbox_stands(world: World, desk: Desk) -> None:
    desk.script = [Reply(status=500)]
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff())
        await until(lambda: _is(world, "handoff_outbox_depth", 1))
        assert world.sample("handoff_outbox_oldest_seconds") > 0
        desk.script = []
        await until(lambda: _is(world, "handoff_outbox_depth", 0))
    assert world.sample('human_handoff_total{agent="specs",reason="user_request"}') == 1
    assert world.sample('handoff_confidence_score_bucket{le="0.4"}') == 1
    assert world.sample('handoff_deliveries_total{desk="webhook",outcome="server_error"}') >= 1
    assert world.sample('handoff_deliveries_total{desk="webhook",outcome="delivered"}') == 1


async def _is(world: World, name: str, value: float) -> bool:
    return world.sample(name) == value and (f"{name} " in world.metrics.render().decode())


async def test_what_is_rolled_back_is_never_sent(world: World, desk: Desk) -> None:
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        async with world.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await stored(connection, handoffs, world.handoff("rolled-back"))
            handoffs.committed(world.handoff("rolled-back"))
            await transaction.rollback()
        await world.hand_over(handoffs, world.handoff("kept"))
        await until(lambda: all_are(world, "delivered"))
    assert [received.json["session_id"] for received in desk.received] == ["kept"]


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(status=500), Reply(status=401), Reply(status=404), Reply(status=429, headers=(("Retry-After", "0"),)),
        Reply(resets=True), Reply(status=302, headers=(("Location", "/elsewhere"),)),
    ],
    ids=["500", "401", "404", "429", "reset", "redirect"],
)  # fmt: skip
async def test_it_is_tried_again_until_the_desk_has_it(trouble: Reply, world: World, desk: Desk) -> None:
    desk.script = [trouble, Reply()]
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "delivered"))
    first, second = desk.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.json == second.json
    assert {first.path, second.path} == {"/webhook?key=s3cret-in-the-url"}


async def test_a_desk_that_hangs_is_left_and_asked_again(world: World, desk: Desk) -> None:
    desk.script = [Reply(hangs=True), Reply()]
    webhook = WebhookDesk(world.http, desk.url, SECRET, total_seconds=0.2)
    async with delivering(world.pool, webhook, world.metrics) as deliverer:
        await world.hand_over(world.handoffs(deliverer), world.handoff())
        await until(lambda: all_are(world, "delivered"))
    assert world.sample('handoff_deliveries_total{desk="webhook",outcome="timeout"}') == 1


async def test_the_desk_may_ask_for_time(world: World, desk: Desk) -> None:
    desk.script = [Reply(status=503, headers=(("Retry-After", "3600"),))]
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff())
        await until(lambda: _failed_once(world))
    due = await world.pool.fetchval("SELECT extract(epoch FROM next_attempt_at - now()) FROM handoffs")
    assert 3590 < due <= 3600


async def _failed_once(world: World) -> bool:
    return [row["last_failure"] for row in await world.rows()] == ["server_error"]


async def test_what_cannot_be_delivered_in_time_is_a_dead_letter_that_keeps_its_text(
    world: World, desk: Desk, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    desk.script = [Reply(status=500)]
    settings = world.settings.model_copy(update={"handoff_dead_letter_hours": 1e-6})
    async with open_handoffs(settings, world.pool, world.http, world.metrics) as handoffs:
        ticket = await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "dead"))
        await until(lambda: _is(world, "handoff_outbox_depth", 0))
    [row] = await world.rows()
    assert row["payload"]["last_user_message"].startswith("My e-mail is [EMAIL]")
    assert world.sample("handoff_dead_letters_total") == 1
    [given_up] = [line for line in logged() if line["event"] == "handoff_given_up"]
    assert given_up["ticket"] == ticket.ticket


async def test_a_dead_letter_goes_out_after_the_documented_statement(world: World, desk: Desk) -> None:
    desk.script = [Reply(status=500)]
    settings = world.settings.model_copy(update={"handoff_dead_letter_hours": 1e-6})
    async with open_handoffs(settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "dead"))
    desk.script = []
    await world.execute(blocks("sql")[0])
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics):
        await until(lambda: all_are(world, "delivered"))


async def test_many_deliverers_share_the_outbox_and_send_each_handoff_once(world: World, desk: Desk) -> None:
    async with db.transaction(world.pool) as connection:
        for number in range(60):
            await stored(connection, world.handoffs(), world.handoff(f"s{number}"))
    webhook = build_desk(world.settings, world.http)
    async with (
        delivering(world.pool, webhook, world.metrics),
        delivering(world.pool, webhook, world.metrics),
        delivering(world.pool, webhook, world.metrics),
    ):
        await until(lambda: all_are(world, "delivered"))
    assert len(desk.received) == len(set(desk.tickets)) == 60


async def test_one_conversation_keeps_its_ticket_for_the_same_reason_only(world: World, desk: Desk) -> None:
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        first = await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "delivered"))
        again = await world.hand_over(handoffs, world.handoff(text="A human!!"))
        danger = await world.hand_over(handoffs, world.handoff(reason=HandoffReason.SAFETY_CONCERN))
        other = await world.hand_over(handoffs, world.handoff("s2"))
        await until(lambda: all_are(world, "delivered"))
    assert again == replace(first, status="assigned", estimated_wait_minutes=3)
    assert "about 3 minutes" in again.message
    assert len({first.ticket, danger.ticket, other.ticket}) == len(desk.received) == 3
    await world.execute("UPDATE handoffs SET status = 'resolved'")
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        assert (await world.hand_over(handoffs, world.handoff())).ticket != first.ticket


async def test_without_a_webhook_the_ticket_waits_at_the_local_desk(
    world: World, desk: Desk, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    settings = world.settings.model_copy(
        update={"human_support_webhook": type(world.settings.human_support_webhook)("")}
    )
    assert isinstance(build_desk(settings, world.http), LocalDesk)
    async with open_handoffs(settings, world.pool, world.http, world.metrics) as handoffs:
        ticket = await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "delivered"))
    assert (ticket.status, ticket.estimated_wait_minutes) == ("queued", 5)
    assert ticket.ticket.startswith("ESC-")
    [row] = await world.rows()
    assert (row["desk"], row["payload"]["reason"]) == ("local", "user_request")
    assert [line["ticket"] for line in logged() if line["event"] == "handoff_waits_for_a_person"] == [ticket.ticket]
    assert desk.received == []


async def test_no_log_line_holds_the_address_of_the_desk_or_what_was_said(
    world: World, desk: Desk, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    desk.script = [Reply(status=500), Reply(resets=True), Reply()]
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "delivered"))
    written = json.dumps(logged())
    assert "handoff_not_delivered" in written
    for secret in ("s3cret-in-the-url", SECRET, "ana@example.com", "speak to a human"):
        assert secret not in written


KILLED = """
import asyncio, os, sys
import httpx2
from uuid import UUID
from tests.app.handoff.conftest import stored
from genai_app import db
from genai_app.handoff.policy import HandoffReason
from genai_app.handoff.service import Handoffs, open_handoffs
from genai_app.handoff.ticket import Handoff
from genai_app.metrics import Metrics
from genai_app.settings import Settings

class Asleep:
    def wake(self): pass

async def main():
    settings, metrics = Settings.from_environment(), Metrics("test")
    handoff = Handoff(HandoffReason.USER_REQUEST, "s1", UUID(sys.argv[2]), None, "a human please", "en")
    async with db.open_pool(settings) as pool, httpx2.AsyncClient(trust_env=False) as http:
        if sys.argv[1] == "before":
            handoffs = Handoffs(Asleep(), metrics, dead_letter_hours=24, mask=str)
            async with db.connection(pool) as connection:
                ticket = await stored(connection, handoffs, handoff)
            print(ticket.ticket, flush=True)
            await asyncio.Event().wait()
        async with open_handoffs(settings, pool, http, metrics) as handoffs:
            async with db.connection(pool) as connection:
                ticket = await stored(connection, handoffs, handoff)
            handoffs.committed(handoff)
            print(ticket.ticket, flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("killed", ["before", "during"])
async def test_a_process_that_is_killed_before_or_during_the_delivery_loses_nothing(
    killed: str, world: World, desk: Desk
) -> None:
    desk.script = [Reply(hangs=True)]
    secrets = ("postgres_password", "human_support_webhook", "human_support_webhook_secret")
    variables = {
        **world.settings.environment_variables(),
        **{name.upper(): getattr(world.settings, name).get_secret_value() for name in secrets},
    }
    command = [sys.executable, "-c", KILLED, killed, str(world.user_id)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(**variables), cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        ticket = (await process.stdout.readline()).decode().strip()
        if killed == "during":
            await until(lambda: _received(desk, 1))
    finally:
        process.kill()
        await process.wait()
    assert await all_are(world, "pending")
    desk.script = []
    if killed == "during":  # the lease of the dead process is over
        await world.execute("UPDATE handoffs SET next_attempt_at = now()")
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics):
        await until(lambda: all_are(world, "delivered"))
    assert set(desk.tickets) == {ticket}
    assert len({received.headers["idempotency-key"] for received in desk.received}) == 1


async def _received(desk: Desk, count: int) -> bool:
    return len(desk.received) >= count


async def test_a_claim_lasts_longer_than_an_attempt_and_ends_by_itself(world: World, desk: Desk) -> None:
    desk.script = [Reply(hangs=True)]
    async with delivering(world.pool, build_desk(world.settings, world.http), world.metrics, lease_seconds=0.3) as one:
        await world.hand_over(world.handoffs(one), world.handoff())
        await until(lambda: _received(desk, 1))
    desk.script = []
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics):
        await until(lambda: all_are(world, "delivered"))
    assert delivery.LEASE_SECONDS > 10


async def test_a_database_that_goes_away_does_not_end_the_deliverer(world: World, desk: Desk) -> None:
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff("s1"))
        await until(lambda: all_are(world, "delivered"))
        await world.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await world.hand_over(handoffs, world.handoff("s2"))
        await until(lambda: all_are(world, "delivered"))
    assert len(desk.received) == 2


async def test_a_handoff_of_an_account_that_was_just_deleted_is_a_conflict(world: World) -> None:
    await world.execute("DELETE FROM users")
    with pytest.raises(Conflict, match=r"account .* was deleted"):
        async with db.connection(world.pool) as connection:
            await stored(connection, world.handoffs(), world.handoff())


async def test_tickets_go_with_the_account(world: World) -> None:
    async with db.transaction(world.pool) as connection:
        await stored(connection, world.handoffs(), world.handoff())
    await world.execute("DELETE FROM users")
    assert await world.rows() == []


@given(st.integers(1, 100), st.floats(0, 1), st.none() | st.floats(0, 10_000), st.floats(0.1, 86_400))
def test_pauses_grow_up_to_a_bound_and_never_reach_beyond_the_end(
    attempts: int, jitter: float, asked: float | None, remaining: float
) -> None:
    again_in = pause(attempts, remaining, asked, jitter)
    assert again_in is not None
    assert again_in <= remaining
    assert again_in >= min(FIRST_PAUSE_SECONDS / 2, remaining)
    assert again_in >= min(asked or 0, remaining)
    assert again_in <= max(LONGEST_PAUSE_SECONDS, asked or 0)
    assert pause(attempts, 0, asked, jitter) is None


def test_pauses_double() -> None:
    assert [pause(n, 1e6, None, 0) for n in (1, 2, 3, 9, 20)] == [1, 2, 4, 256, 300]


@pytest.mark.parametrize(
    ("body", "status", "wait", "ticket"),
    [
        (json.dumps(GOOD).encode(), "assigned", 3, "T-1"),
        (b"", "queued", None, None),
        (b"OK", "queued", None, None),
        (b"[1]", "queued", None, None),
        (b"[" * 100_000, "queued", None, None),
        (b'{"status":"lost","estimated_wait_time":"soon","escalation_id":{}}', "queued", None, None),
        (b'{"status":["queued"],"estimated_wait_time":-1,"escalation_id":17}', "queued", None, "17"),
        (b'{"estimated_wait_time":NaN,"escalation_id":true}', "queued", None, None),
        (b'{"estimated_wait_time":1e300,"escalation_id":"a\\u0000\\ud800"}', "queued", None, "a?"),
        (b'{"escalation_id":"' + b"x" * 5000 + b'"}', "queued", None, "x" * 200),
    ],
)
def test_whatever_a_desk_says_with_its_yes_the_ticket_is_delivered(
    body: bytes, status: str, wait: int | None, ticket: str | None
) -> None:
    said = receipt(body)
    assert (said.status, said.estimated_wait_minutes, said.ticket) == (status, wait, ticket)


async def test_a_desk_that_talks_on_and_on_is_not_listened_to(world: World, desk: Desk) -> None:
    desk.script = [Reply(body=b"x" * 10_000_000)]
    async with open_handoffs(world.settings, world.pool, world.http, world.metrics) as handoffs:
        await world.hand_over(handoffs, world.handoff())
        await until(lambda: all_are(world, "delivered"))
