"""What people may do with their own account: change the password, take their data along, go for good."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from redis.asyncio import Redis
from tests.app.conftest import Api, Login, emptied, login_of

from genai_app.auth.personal_data import SECTIONS
from genai_app.ratelimit import PER_ADDRESS

pytestmark = pytest.mark.service

PASSWORD, NEW = "correct horse", "another battery staple"


async def registered(api: Api, name: str = "Ana") -> tuple[str, Login]:
    """A new address and its first login."""
    email = f"{uuid4().hex[:12]}@example.com"
    body = {"email": email, "password": PASSWORD, "name": name}
    return email, login_of(await api.client.post("/api/v1/auth/register", json=body))


async def log_in(api: Api, email: str, password: str = PASSWORD) -> httpx2.Response:
    return await api.client.post("/api/v1/auth/login", json={"email": email, "password": password})


async def status(api: Api, login: Login) -> int:
    return (await api.client.get("/api/v1/auth/me", headers=login.headers)).status_code


async def change_password(api: Api, login: Login, current: str = PASSWORD, new: str = NEW) -> httpx2.Response:
    body = {"current_password": current, "new_password": new}
    return await api.client.post("/api/v1/auth/password", json=body, headers=login.headers)


async def delete(api: Api, login: Login, password: str = PASSWORD) -> httpx2.Response:
    return await api.client.request("DELETE", "/api/v1/auth/me", json={"password": password}, headers=login.headers)


async def test_a_new_password_ends_every_other_login(api: Api) -> None:
    email, here = await registered(api)
    there = login_of(await log_in(api, email))
    assert (await change_password(api, here)).status_code == 204
    assert (await status(api, here), await status(api, there)) == (200, 401)
    refreshed = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": there.refresh})
    assert refreshed.status_code == 401
    assert (await api.client.post("/api/v1/auth/refresh", json={"refresh_token": here.refresh})).status_code == 200
    assert ((await log_in(api, email)).status_code, (await log_in(api, email, NEW)).status_code) == (401, 200)


@pytest.mark.parametrize(
    ("current", "new", "pointer"),
    [
        ("wrong horse", NEW, "/current_password"), ("", NEW, "/current_password"), (PASSWORD, "short", "/new_password"),
        (PASSWORD, PASSWORD, "/new_password"), (PASSWORD, "x" * 257, "/new_password"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_new_password_is_pointed_at(api: Api, current: str, new: str, pointer: str) -> None:
    email, login = await registered(api)
    reply = await change_password(api, login, current, new)
    assert (reply.status_code, [error["pointer"] for error in reply.json()["errors"]]) == (422, [pointer])
    assert (await log_in(api, email)).status_code == 200


async def test_of_many_changes_at_once_one_wins(api: Api) -> None:
    email, login = await registered(api)
    replies = await asyncio.gather(*(change_password(api, login, new=f"{NEW} {n}") for n in range(4)))
    assert sorted(reply.status_code for reply in replies).count(204) == 1
    assert {reply.status_code for reply in replies} <= {204, 409, 422}
    valid = [n for n in range(4) if (await log_in(api, email, f"{NEW} {n}")).status_code == 200]
    assert [replies[n].status_code for n in valid] == [204]


@pytest.mark.parametrize("ask", [change_password, delete])
async def test_guessing_the_password_with_a_stolen_token_is_limited(api: Api, redis: Redis, ask: Any) -> None:
    _, login = await registered(api)
    await emptied(redis, PER_ADDRESS, login.id, seconds=30)
    reply = await ask(api, login)
    assert (reply.status_code, reply.headers["x-ratelimit-limit"]) == (429, "10")


async def test_a_hash_of_the_system_before_is_renewed_at_the_next_login(api: Api) -> None:
    email, login = await registered(api)
    old = Argon2Hasher(time_cost=3, memory_cost=8 * 1024, parallelism=4).hash(PASSWORD)
    await api.sql("UPDATE users SET password_hash = $2 WHERE id = $1", UUID(login.id), old)
    assert (await log_in(api, email)).status_code == 200
    [(stored,)] = await api.sql("SELECT password_hash FROM users WHERE id = $1", UUID(login.id))
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await log_in(api, email)).status_code == 200


async def with_everything(api: Api) -> tuple[str, Login, UUID]:
    """An account with a row in every table that has something personal, and its customer record's id."""
    email, login = await registered(api, "Ana Personal")
    [(customer,)] = await api.sql("SELECT customer_id FROM users WHERE id = $1", UUID(login.id))
    await api.sql("UPDATE customers SET phone = '+55 11 91234-5678' WHERE id = $1", customer)
    [(vehicle,)] = await api.sql(
        "INSERT INTO vehicles (customer_id, brand, model, vin) VALUES ($1, 'GenAuto', 'X1', $2) RETURNING id",
        customer, uuid4().hex[:17].upper(),
    )  # fmt: skip
    await api.sql(
        "INSERT INTO service_history (vehicle_id, service_type, cost) VALUES ($1, 'oil_change', 49.99)", vehicle
    )
    await api.sql(
        "INSERT INTO appointments (customer_id, vehicle_id, service_type, scheduled_date) "
        "VALUES ($1, $2, 'inspection', now() + interval '1 day')",
        customer, vehicle,
    )  # fmt: skip
    assert (await api.chat(login, "My name is Ana Personal: how many airbags does it have?")).status_code == 200
    return email, login, customer


async def test_an_export_has_everything_and_nothing_of_others(own_api: Api) -> None:
    api = own_api
    email, ana, customer = await with_everything(api)
    _, eve = await registered(api, "Eve Other")
    await api.chat(eve, "What is the tyre pressure?")
    reply = await api.client.get("/api/v1/auth/me/export", headers=ana.headers)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert "attachment" in reply.headers["content-disposition"]
    data = reply.json()
    assert data.keys() == {name for name, _ in SECTIONS}
    assert data["account"][0]["email"] == email
    assert data["customer"][0] == {**data["customer"][0], "id": str(customer), "phone": "+55 11 91234-5678"}
    assert data["vehicles"][0]["model"] == "X1"
    assert data["service_history"][0]["cost"] == 49.99
    assert data["appointments"][0]["service_type"] == "inspection"
    roles = [message["role"] for message in data["conversations"][0]["messages"]]
    assert roles == ["user", "assistant"]
    assert "Eve" not in reply.text
    assert "argon2" not in reply.text


async def test_a_deleted_account_leaves_nothing_personal_in_any_table(own_api: Api) -> None:
    api = own_api
    email, ana, customer = await with_everything(api)
    _, eve = await registered(api, "Eve Other")
    traces = (ana.id, email, str(customer), "Ana Personal")
    assert await found(api, traces) >= {"users", "customers", "auth_sessions", "conversations", "messages", "vehicles"}
    assert (await delete(api, ana)).status_code == 204
    assert await found(api, traces) == set()
    assert (await status(api, ana), await status(api, eve)) == (401, 200)
    assert (await log_in(api, email)).status_code == 401


async def found(api: Api, traces: tuple[str, ...]) -> set[str]:
    """Tables with a row that holds one of the texts in any column."""
    tables = [name for (name,) in await api.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    patterns = [f"%{trace}%" for trace in traces]
    holding = f"SELECT EXISTS (SELECT FROM {{}} AS t WHERE t::text LIKE ANY ($1))"  # noqa: F541 - tables' names
    return {name for name in tables if await api.sql(holding.format(name), patterns) == [(True,)]}


async def test_a_wrong_password_deletes_nothing(api: Api) -> None:
    _, login = await registered(api)
    reply = await delete(api, login, "wrong horse")
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/password")
    assert await status(api, login) == 200


async def test_an_address_is_free_again_after_its_account_is_deleted(api: Api) -> None:
    email, login = await registered(api)
    await delete(api, login)
    body = {"email": email, "password": PASSWORD, "name": "Ana"}
    assert (await api.client.post("/api/v1/auth/register", json=body)).status_code == 201


NOT_EXPORTED = {
    "running_turns": "which replica answers a message at this moment; gone when it is answered",
}


async def test_no_table_of_people_is_forgotten(own_api: Api) -> None:
    """A new table that refers to accounts or customers is exported, or an exception is made here with a reason."""
    rows = await own_api.sql(
        """
        WITH RECURSIVE personal (id) AS (
            SELECT unnest(ARRAY['users'::regclass, 'customers'::regclass])::oid
            UNION
            SELECT conrelid FROM pg_constraint JOIN personal ON confrelid = personal.id WHERE contype = 'f'
        )
        SELECT id::regclass::text FROM personal
        """
    )
    queries = " ".join(query for _, query in SECTIONS)
    assert {table for (table,) in rows if f"FROM {table}" not in queries} == set(NOT_EXPORTED)
