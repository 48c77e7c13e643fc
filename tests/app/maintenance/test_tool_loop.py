"""A model with the tools: what it may do, what it is told, and what it can never do."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.app.maintenance.conftest import NOW, Customer, World, on
from tests.app.openai_stub import OpenAIStub, Reply, delta, events, streamed

from genai_app.agents.maintenance.tool_loop import ROUNDS
from genai_app.agents.maintenance.tools import TOOLS
from genai_app.scheduling.remote import RemoteScheduler
from genai_app.scheduling.scheduling_server import SchedulingServer

pytestmark = pytest.mark.service


def calls(*asked: tuple[str, Mapping[str, Any] | str], text: str = "") -> Reply:
    """A reply that asks for tools, its arguments in two fragments."""
    fragments = [delta(content=text)] if text else []
    for index, (name, arguments) in enumerate(asked):
        whole = arguments if isinstance(arguments, str) else json.dumps(arguments)
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        fragments.append(delta(tool_calls=[{**head, "function": {"name": name, "arguments": whole[:5]}}]))
        fragments.append(delta(tool_calls=[{"index": index, "function": {"arguments": whole[5:]}}]))
    return events(*fragments, finish="tool_calls")


def told(server: OpenAIStub, request: int) -> list[dict[str, Any]]:
    """What the tools said, as the model got it with its n-th request."""
    messages = server.requests[request].json["messages"]
    return [json.loads(each["content"]) for each in messages if each["role"] == "tool"]


async def test_a_model_reads_prices_and_answers_from_them(online: Customer, model_server: OpenAIStub) -> None:
    model_server.script = [
        calls(("get_service_pricing", {"service_type": "oil_change"})),
        streamed("It costs 49.99 ", "to 79.99 USD, all included."),
    ]
    assert await online.say("Tell me about oil changes and money") == "It costs 49.99 to 79.99 USD, all included."
    [price] = told(model_server, 1)[0]["prices"]
    assert (price["from_usd"], price["to_usd"]) == ("49.99", "79.99")
    assert online.answer is not None
    assert [tool.name for tool in online.answer.tools] == ["get_service_pricing"]
    assert (online.answer.provider, online.answer.tokens_in, online.answer.tokens_out) == ("openrouter", 22, 14)
    assert online.steps == ["rag_retrieval", "generating", "tool_call"]
    assert [each["function"]["name"] for each in model_server.requests[0].json["tools"]] == list(TOOLS)


async def test_a_model_proposes_in_our_words_and_only_the_customers_yes_books(
    online: Customer, model_server: OpenAIStub
) -> None:
    wish = {"service_type": "oil_change", "date": on(6).isoformat(), "time": "10:00"}
    model_server.script = [calls(("book_appointment", wish), text="I look into the calendar for you.")]
    text = await online.say("Could you put my car in for fresh oil, next Tuesday at ten?")
    assert text.startswith("I look into the calendar for you.\n\nOil change on Tuesday")
    assert text.endswith("49.99 to 79.99 USD. Shall I book it?")
    assert await online.booked() == []
    asked = len(model_server.requests)
    assert "Booked" in await online.say("yes")
    assert "already done" in await online.say("yes")
    assert len(model_server.requests) == asked
    assert await online.booked() == [("oil_change", datetime.combine(on(6), time(10), UTC), "scheduled")]


async def test_a_yes_that_no_longer_follows_the_proposal_is_asked_again(
    online: Customer, model_server: OpenAIStub
) -> None:
    wish = {"service_type": "oil_change", "date": on(6).isoformat(), "time": "10:00"}
    model_server.script = [calls(("book_appointment", wish)), streamed("About an hour, usually, I believe so.")]
    await online.say("book an oil change next Tuesday at 10")
    await online.say("How long does that take?")
    assert "has not said yes" in model_server.requests[1].json["messages"][0]["content"]
    assert "Shall I book it?" in await online.say("yes")
    assert await online.booked() == []
    assert "Booked" in await online.say("yes")


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("book_appointment", {"service_type": "wash", "date": "2026-12-01", "time": "10:00"}, "service_type"),
        ("book_appointment", {"service_type": "oil_change", "date": "someday", "time": "10:00"}, "date"),
        ("get_service_history", {"customer_id": str(uuid4())}, "customer_id: Extra inputs are not permitted"),
        ("list_appointments", {"customer": "somebody else"}, "customer"),
        ("cancel_appointment", {}, "confirmation_number: Field required"),
    ],
)
async def test_bad_arguments_are_told_to_the_model_and_do_nothing(
    name: str, arguments: dict[str, Any], problem: str, online: Customer, model_server: OpenAIStub
) -> None:
    model_server.script = [calls((name, arguments)), streamed("I need one more thing from you, please.")]
    assert await online.say("Do something with my car") == "I need one more thing from you, please."
    assert problem in told(model_server, 1)[0]["error"]
    assert online.answer is not None
    assert [tool.ok for tool in online.answer.tools] == [False]


async def test_a_model_cannot_reach_the_appointment_of_somebody_else(
    online: Customer, ana: Customer, model_server: OpenAIStub
) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    number = (await ana.say("yes")).rstrip(".").split()[-1]
    model_server.script = [
        calls(("cancel_appointment", {"confirmation_number": number}), ("list_appointments", {})),
        streamed("I can not find that appointment, sorry."),
    ]
    await online.say(f"Please drop {number} for good")
    unknown, own = told(model_server, 1)
    assert unknown == {"result": "Unknown", "confirmation": number}
    assert own == {"result": "Own", "appointments": []}
    assert (await ana.booked())[0][2] == "scheduled"


async def test_a_model_that_never_stops_calling_is_stopped_after_four_rounds(
    online: Customer, model_server: OpenAIStub
) -> None:
    model_server.script = [*[calls(("list_appointments", {}))] * ROUNDS, streamed("You have no appointments at all.")]
    assert await online.say("Look again and again") == "You have no appointments at all."
    assert len(model_server.requests) == ROUNDS + 1
    assert "tools" not in model_server.requests[-1].json
    assert online.answer is not None
    assert len(online.answer.tools) == ROUNDS


async def test_when_the_model_is_away_the_same_tools_work_by_rules(online: Customer, model_server: OpenAIStub) -> None:
    model_server.script = [Reply(status=401)]
    assert "Shall I book it?" in await online.say("book an oil change next Tuesday at 10")
    assert "Booked" in await online.say("yes")
    assert "every 10,000 km or 12 months" in await online.say("How often must the oil be changed?")
    assert online.answer is not None
    assert online.answer.provider == "offline"


async def test_the_model_is_told_the_day_the_services_and_the_passages(
    online: Customer, model_server: OpenAIStub
) -> None:
    await online.say("How often must the oil be changed?")
    system = model_server.requests[0].json["messages"][0]["content"]
    assert f"It is Wednesday {NOW:%Y-%m-%d} 09:30" in system
    assert "oil_change, tire_rotation" in system
    assert "every 10,000 km or 12 months" in system
    assert online.answer is not None
    assert online.answer.sources


async def test_a_scheduler_that_is_away_is_said_and_a_person_takes_over(world: World) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        down = RemoteScheduler(SchedulingServer(http, "http://127.0.0.1:1", "", 1), world.metrics)
        bea = await world.customer(scheduler=down)
        assert "cannot be reached" in await bea.say("book an oil change next Tuesday at 10")
        assert bea.answer is not None
        assert bea.answer.handoff_reason == "repeated_failure"
        assert "Oil change: 49.99" in await bea.say("How much is an oil change?")
