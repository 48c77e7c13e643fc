"""Turns and stored conversations over REST."""

import asyncio
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from tests.app.conftest import QUESTION, Api, Login, Servers, running_api

pytestmark = pytest.mark.service

FOLLOW_UP = "And how often must it be changed?"


async def history(api: Api, who: Login, session_id: str, **query: str) -> tuple[list[dict[str, object]], str | None]:
    reply = await api.client.get(f"/api/v1/chat/history/{session_id}", params=query, headers=who.headers)
    assert reply.status_code == 200, reply.text
    return reply.json()["items"], reply.json()["next_cursor"]


async def test_a_turn_answers_from_a_source(api: Api) -> None:
    reply = await api.chat(await api.register())
    assert reply.status_code == 200, reply.text
    turn = reply.json()
    assert turn.keys() == {
        "response", "session_id", "message_id", "agent_used", "confidence", "sources", "handoff", "cached", "metadata",
    }  # fmt: skip
    assert "5W-30" in turn["response"]
    assert {source["source"] for source in turn["sources"]} & {
        "specs_genautox1_2024.md", "maintenance_guide_genautox1.md",
    }  # fmt: skip
    assert turn["handoff"] is None
    assert turn["cached"] is False
    assert 0 < turn["confidence"] <= 1
    assert turn["metadata"]["provider"] == "offline"
    assert turn["metadata"]["routing"].keys() == {"agent", "confidence", "method", "rerouted"}


async def test_the_second_turn_remembers_the_first(api: Api) -> None:
    who = await api.register()
    first = (await api.chat(who)).json()
    second = (await api.chat(who, FOLLOW_UP, session_id=first["session_id"])).json()
    assert second["session_id"] == first["session_id"]
    assert "10,000 km" in second["response"]
    messages, _ = await history(api, who, first["session_id"])
    assert [message["content"] for message in messages] == [
        QUESTION, first["response"], FOLLOW_UP, second["response"],
    ]  # fmt: skip
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert messages[3]["id"] == second["message_id"]


async def test_both_messages_are_stored_when_the_reply_arrives(api: Api) -> None:
    turn = (await api.chat(await api.register())).json()
    rows = await api.sql(
        "SELECT m.id::text, m.role FROM messages m JOIN conversations c ON c.id = m.conversation_id "
        "WHERE c.session_id = $1 ORDER BY position",
        turn["session_id"],
    )
    assert [role for _, role in rows] == ["user", "assistant"]
    assert rows[1][0] == turn["message_id"]


async def test_what_cannot_be_stored_is_not_answered_and_leaves_nothing(own_api: Api) -> None:
    who = await own_api.register()
    await own_api.sql("ALTER TABLE messages ADD CONSTRAINT no_answers CHECK (role <> 'assistant')")
    reply = await own_api.chat(who)
    assert reply.status_code == 500
    assert reply.json().keys() == {"type", "title", "status", "detail", "request_id"}
    assert "no_answers" not in reply.text
    assert await own_api.sql("SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM conversations)") == [(0, 0)]


async def test_turns_of_one_conversation_at_once_stay_pairs(api: Api) -> None:
    who, session_id = await api.register(), "many-at-once"
    questions = [f"How many airbags does it have, question {n}?" for n in range(6)]
    replies = await asyncio.gather(*(api.chat(who, question, session_id=session_id) for question in questions))
    assert {reply.status_code for reply in replies} == {200}
    answers = {question: reply.json()["response"] for question, reply in zip(questions, replies, strict=True)}
    messages, _ = await history(api, who, session_id)
    texts = [message["content"] for message in messages]
    assert dict(zip(texts[::2], texts[1::2], strict=True)) == answers


async def test_somebody_elses_session_does_not_exist(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    session_id = (await api.chat(ana)).json()["session_id"]
    assert (await api.chat(eve, FOLLOW_UP, session_id=session_id)).status_code == 404
    for method in ("GET", "DELETE"):
        theirs = await api.client.request(method, f"/api/v1/chat/history/{session_id}", headers=eve.headers)
        nobodys = await api.client.request(method, f"/api/v1/chat/history/{uuid4()}", headers=eve.headers)
        assert theirs.status_code == nobodys.status_code == 404
        assert {**theirs.json(), "request_id": ""} == {**nobodys.json(), "request_id": ""}
    messages, _ = await history(api, ana, session_id)
    assert len(messages) == 2


async def test_names_that_clients_choose_are_each_owners_own(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    await api.chat(ana, session_id="test-session")
    assert (await api.chat(eve, FOLLOW_UP, session_id="test-session")).status_code == 200
    messages, _ = await history(api, eve, "test-session")
    assert messages[0]["content"] == FOLLOW_UP


async def test_history_comes_in_pages_newest_page_first(api: Api) -> None:
    who = await api.register()
    for n in range(3):
        await api.chat(who, f"How big is the boot, question {n}?", session_id="paged")
    whole, end = await history(api, who, "paged")
    assert end is None
    newest, cursor = await history(api, who, "paged", limit="4")
    assert newest == whole[2:]
    oldest, end = await history(api, who, "paged", limit="4", cursor=str(cursor))
    assert (oldest, end) == (whole[:2], None)


async def test_sessions_are_listed_the_last_used_first(api: Api) -> None:
    who = await api.register()
    for name in ("a", "b", "c", "a"):
        await api.chat(who, session_id=name)
    names: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = (await api.client.get("/api/v1/chat/sessions", params=query, headers=who.headers)).json()
        names += [f"{session['session_id']}:{session['messages']}" for session in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert names == ["a:4", "c:2", "b:2"]


async def test_a_deleted_conversation_is_gone(own_api: Api) -> None:
    api = own_api
    who = await api.register()
    session_id = (await api.chat(who)).json()["session_id"]
    path = f"/api/v1/chat/history/{session_id}"
    assert (await api.client.delete(path, headers=who.headers)).status_code == 204
    assert (await api.client.get(path, headers=who.headers)).status_code == 404
    assert await api.sql("SELECT count(*) FROM messages") == [(0,)]


async def test_a_customer_speaks_for_themselves_and_staff_for_others(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    [(customer, vehicle)] = await api.sql(
        "INSERT INTO vehicles (customer_id, brand, model) SELECT customer_id, 'GenAuto', 'X1' FROM users WHERE id = $1 "
        "RETURNING customer_id, id",
        UUID(ana.id),
    )
    mine, car = {"customer_id": str(customer)}, {"vehicle_id": str(vehicle)}
    assert (await api.chat(ana, **mine, **car)).status_code == 200
    assert (await api.chat(ana, vehicle_id=str(uuid4()))).status_code == 404
    assert [(await api.chat(eve, **wrong)).status_code for wrong in (mine, car)] == [404, 404]
    await api.sql("UPDATE users SET role = 'agent' WHERE id = $1", UUID(eve.id))
    assert (await api.chat(eve, **mine, **car)).status_code == 200
    assert (await api.chat(eve, customer_id=str(uuid4()))).status_code == 404
    assert await api.sql("SELECT count(*) FROM conversations WHERE customer_id = $1", customer) == [(2,)]


async def test_an_equal_question_is_answered_from_the_cache_for_everybody(api: Api) -> None:
    ana, eve = await api.register(), await api.register("Eve")
    first = (await api.chat(ana)).json()
    again = (await api.chat(eve, f"  {QUESTION.upper()} ")).json()
    assert (first["cached"], again["cached"]) == (False, True)
    for same in ("response", "sources", "agent_used", "confidence"):
        assert again[same] == first[same]
    assert again["session_id"] != first["session_id"]
    messages, _ = await history(api, eve, again["session_id"])
    assert [message["content"] for message in messages] == [QUESTION.upper(), first["response"]]


async def test_nothing_personal_and_nothing_with_a_history_is_cached(api: Api, redis: Redis) -> None:
    who = await api.register()
    await api.chat(who, "I am ana@example.com: which engine oil does the GenAuto X1 take?")
    session_id = (await api.chat(who, "How many airbags does it have?")).json()["session_id"]
    await api.chat(who, QUESTION, session_id=session_id)
    assert len([key async for key in redis.scan_iter("genai:response:*")]) <= 1
    assert (await api.chat(who, QUESTION)).json()["cached"] is False


@pytest.mark.parametrize(("ttl", "enabled"), [("60", "true"), ("60", "false")])
async def test_cache_settings_have_an_effect(
    servers: Servers, database: str, redis: Redis, ttl: str, enabled: str
) -> None:
    async with running_api(servers.settings(database, CACHE_TTL=ttl, CACHE_ENABLED=enabled)) as api:
        who = await api.register()
        replies = [(await api.chat(who)).json()["cached"] for _ in range(2)]
    keys = [key async for key in redis.scan_iter("genai:response:*")]
    assert replies == [False, enabled == "true"]
    assert len(keys) == int(enabled == "true")
    for key in keys:
        assert 0 < await redis.ttl(key) <= int(ttl)


async def test_a_turn_costs_few_statements(servers: Servers, database: str, redis: Redis) -> None:
    """Counted by PostgreSQL, whose log holds every statement of this database, and by Valkey, which counts reads."""
    await servers.administer(f"ALTER DATABASE {database} SET log_statement = 'all'")
    log = servers.state.folder / "postgres.log"

    def statements(since: int) -> list[str]:
        lines = log.read_bytes()[since:].decode(errors="replace").splitlines()
        return [line.partition("LOG:")[2].strip() for line in lines if "LOG:  execute" in line or "statement:" in line]

    async with running_api(servers.settings(database)) as api:
        who = await api.register()
        session_id = (await api.chat(who)).json()["session_id"]
        begin = log.stat().st_size
        again = {"session_id": session_id, "client_message_id": "m1"}
        assert (await api.chat(who, FOLLOW_UP, **again)).status_code == 200
        in_a_conversation = statements(begin)
        begin, read = log.stat().st_size, await reads(redis)
        assert (await api.chat(who, QUESTION)).json()["cached"] is True
        from_the_cache, trips = statements(begin), await reads(redis) - read - 1
    assert 3 <= len(in_a_conversation) <= 8, in_a_conversation
    assert len(from_the_cache) == 1, from_the_cache
    assert trips == 1


async def reads(redis: Redis) -> int:
    """How often Valkey has read from a client; asking is one more."""
    return int((await redis.info("stats"))["total_reads_processed"])
