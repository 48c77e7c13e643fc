"""What docs/reference/handoff-webhook.md shows is what happens: its code and its statements are run."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.app.handoff.conftest import World, stored

from genai_app import db
from genai_app.handoff.payload import payload
from genai_app.handoff.policy import HandoffReason
from genai_app.handoff.ticket import Status
from genai_app.handoff.webhook import signature_headers
from genai_contract import metrics

PAGE = (Path(__file__).parents[3] / "docs/reference/handoff-webhook.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def is_genuine() -> Callable[[str, str, str, bytes], bool]:
    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)  # noqa: S102 - the page's own snippet is what is tested
    function: Callable[[str, str, str, bytes], bool] = names["is_genuine"]
    return function


@pytest.mark.parametrize(
    ("change", "genuine"),
    [
        ({}, True),
        ({"secret": "other"}, False),
        ({"body": b"{}"}, False),
        ({"timestamp": str(int(time.time()) - 301)}, False),
        ({"timestamp": "soon"}, False),
        ({"signature": ""}, False),
    ],
)
def test_the_snippet_tells_our_requests_from_others(change: dict[str, Any], genuine: bool) -> None:
    now, body = str(int(time.time())), '{"text": "olá"}'.encode()
    headers = signature_headers("secret", now, body)
    received: dict[str, Any] = {
        "secret": "secret",
        "timestamp": now,
        "signature": headers["X-GenAI-Signature"],
        "body": body,
    } | change
    secret, timestamp, signature, sent = received.values()
    assert is_genuine()(secret, timestamp, signature, sent) is genuine


def test_an_old_request_stays_old_with_its_own_signature() -> None:
    old = str(int(time.time()) - 301)
    signature = signature_headers("secret", old, b"{}")["X-GenAI-Signature"]
    assert is_genuine()("secret", old, signature, b"{}") is False


def test_without_a_secret_nothing_is_signed() -> None:
    assert signature_headers("", "1", b"{}") == {"X-GenAI-Timestamp": "1"}


def test_every_reason_status_and_metric_is_on_the_page() -> None:
    words = {*HandoffReason, *get_args(Status)}
    words |= {spec.name for spec in metrics.ALL if "handoff" in spec.name}
    assert [word for word in words if f"`{word}" not in PAGE] == []


@pytest.mark.service
async def test_every_field_of_the_body_is_on_the_page(world: World) -> None:
    body = payload(world.handoff(), "ESC-1", world.now(), str)
    fields = {*body, *(f"metadata.{name}" for name in body["metadata"])} - {"metadata"}
    assert {field for field in fields if f"| `{field}` |" not in PAGE} == set()


@pytest.mark.service
async def test_the_statements_on_the_page_send_dead_letters_again_and_show_the_local_desk(world: World) -> None:
    again, local = blocks("sql")
    async with db.transaction(world.pool) as connection:
        ticket = await stored(connection, world.handoffs(), world.handoff(text="help", history=()))
    await world.execute("UPDATE handoffs SET delivery = 'dead', give_up_at = now()")
    await world.execute(again)
    [row] = await world.rows()
    assert (row["delivery"], row["give_up_at"] > world.now()) == ("pending", True)
    await world.execute("UPDATE handoffs SET desk = 'local'")
    [shown] = await world.pool.fetch(local)
    assert (shown["ticket"], shown["conversation"]) == (ticket.ticket, "Customer: help")
