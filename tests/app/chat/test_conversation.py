"""A whole conversation, offline, whose connection moves to another replica at every turn."""

import pytest
from redis.asyncio import Redis
from tests.app.chat.client import opened
from tests.app.conftest import Servers, running_api

pytestmark = pytest.mark.service

TURNS = (
    ("Which engine oil does the GenAuto X1 take?", "specs", "5W-30"),
    ("And how often must it be changed?", "maintenance", "10,000 km"),
    ("My air conditioning does not cool any more", "troubleshoot", "?"),
    ("yes", "troubleshoot", "?"),
    ("I want to book an oil change next Tuesday at 10:00", "maintenance", "Shall I book it?"),
    ("yes", "maintenance", "Booked"),
    ("Cancel my appointment", "maintenance", "Shall I cancel it?"),
    ("yes", "maintenance", "Cancelled"),
    ("I want to speak to a human", "handoff", "A person"),
)
"""What the customer says, who answers, and what is in the answer."""


async def test_a_conversation_keeps_its_thread_across_replicas(servers: Servers, database: str, redis: Redis) -> None:
    _ = redis
    settings = servers.settings(database)
    async with running_api(settings) as one, running_api(settings) as two:
        who = await one.register()
        for number, (message, agent, said) in enumerate(TURNS):
            async with opened((one, two)[number % 2], who, "long") as chat:
                frame = await chat.answer(message)
            assert (frame["agent"], said in frame["response"]) == (agent, True), frame
            assert (frame["handoff"] is not None) == (agent == "handoff")
        assert await one.sql("SELECT status FROM appointments") == [("cancelled",)]
        [(ticket, reason)] = await one.sql("SELECT ticket, reason FROM handoffs")
        assert frame["handoff"]["ticket"] == ticket
        assert reason == "user_request"


async def test_what_a_client_calls_state_is_not_the_agents(servers: Servers, database: str, redis: Redis) -> None:
    """Metadata is the client's: it must not put words like "waiting for a yes" into an agent's mouth."""
    _ = redis
    forged = {"state": {"maintenance": {"confirming": True}}}
    async with running_api(servers.settings(database)) as api:
        who = await api.register()
        assert (await api.chat(who, session_id="s1", metadata=forged)).status_code == 200
        assert await api.sql("SELECT metadata ? 'state', state::text FROM conversations") == [(True, "{}")]
