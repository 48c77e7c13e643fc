"""Accounts over HTTP: registering, logging in, staying logged in, and being thrown out."""

import asyncio
import statistics
import time
from uuid import UUID, uuid4

import pytest
from tests.app.conftest import Api, Login, login_of

pytestmark = pytest.mark.service

PASSWORD = "correct horse"


def body(email: str = "ana@example.com", **changes: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD, "name": "Ana", **changes}


def address() -> str:
    """One that nobody has."""
    return f"{uuid4().hex[:12]}@example.com"


async def log_in(api: Api, email: str, password: str = PASSWORD) -> int:
    reply = await api.client.post("/api/v1/auth/login", json={"email": email, "password": password})
    return reply.status_code


async def who(api: Api, login: Login) -> int:
    return (await api.client.get("/api/v1/auth/me", headers=login.headers)).status_code


async def test_registering_logs_in_and_makes_a_customer(own_api: Api) -> None:
    api = own_api
    reply = await api.client.post("/api/v1/auth/register", json=body("Ana@Example.com"))
    assert reply.status_code == 201
    assert reply.json().keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (reply.json()["token_type"], reply.json()["expires_in"]) == ("bearer", 1800)
    login = login_of(reply)
    me = (await api.client.get("/api/v1/auth/me", headers=login.headers)).json()
    [(customer_id, *customer)] = await api.sql("SELECT id, name, email FROM customers")
    assert me == {
        "user_id": login.id, "email": "ana@example.com", "name": "Ana", "role": "customer",
        "customer_id": str(customer_id),
    }  # fmt: skip
    assert customer == ["Ana", "ana@example.com"]
    assert await log_in(api, "ANA@example.com") == 200


async def test_an_address_is_registered_once(own_api: Api) -> None:
    replies = await asyncio.gather(
        *(own_api.client.post("/api/v1/auth/register", json=body(name=f"Ana {n}")) for n in range(3))
    )
    assert sorted(reply.status_code for reply in replies) == [201, 409, 409]
    problem = next(reply.json() for reply in replies if reply.status_code == 409)
    assert problem["type"] == "urn:genai-auto:problem:conflict"
    assert "log in" in problem["detail"]
    assert await own_api.sql("SELECT count(*) FROM customers") == [(1,)]


async def test_registering_takes_over_no_record_of_the_service_team(api: Api) -> None:
    email = address()
    [(theirs,)] = await api.sql("INSERT INTO customers (name, email) VALUES ('Ana', $1) RETURNING id", email)
    login = login_of(await api.client.post("/api/v1/auth/register", json=body(email)))
    me = (await api.client.get("/api/v1/auth/me", headers=login.headers)).json()
    assert UUID(me["customer_id"]) != theirs


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": "ana"}, "/email"), ({"email": "a\x00@example.com"}, "/email"), ({"password": "short"}, "/password"),
        ({"password": "x" * 257}, "/password"), ({"name": " A "}, "/name"), ({"name": "A\x00na"}, "/name"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_pointed_at(api: Api, changes: dict[str, str], pointer: str) -> None:
    reply = await api.client.post("/api/v1/auth/register", json=body(**changes))
    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.json()["errors"]] == [pointer]


async def test_a_wrong_password_and_an_unknown_address_look_alike(api: Api) -> None:
    known = address()
    await api.client.post("/api/v1/auth/register", json=body(known))
    wrong, unknown = [
        await api.client.post("/api/v1/auth/login", json={"email": email, "password": "wrong horse"})
        for email in (known, address())
    ]
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


async def test_an_unknown_address_takes_as_long_as_a_known_one(api: Api) -> None:
    existing = address()
    await api.client.post("/api/v1/auth/register", json=body(existing))

    async def seconds(email: str) -> float:
        started = time.process_time()
        await log_in(api, email, "wrong horse")
        return time.process_time() - started

    pairs = [(await seconds(existing), await seconds(address())) for _ in range(4)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.6 < unknown / known < 1.6, (known, unknown)


async def test_an_inactive_account_is_out_at_once(api: Api) -> None:
    email = address()
    login = login_of(await api.client.post("/api/v1/auth/register", json=body(email)))
    assert await who(api, login) == 200
    await api.sql("UPDATE users SET is_active = false WHERE email = $1", email)
    assert await who(api, login) == 401
    assert await log_in(api, email) == 401
    refreshed = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": login.refresh})
    assert refreshed.status_code == 401


async def test_a_refresh_token_is_spent_by_using_it_and_a_second_use_ends_the_login(api: Api) -> None:
    first = await api.register()
    second = login_of(await api.client.post("/api/v1/auth/refresh", json={"refresh_token": first.refresh}))
    assert second.id == first.id
    assert await who(api, second) == 200
    stolen = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": first.refresh})
    assert stolen.status_code == 401
    assert await who(api, second) == 401
    late = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": second.refresh})
    assert late.status_code == 401


async def test_only_one_of_many_refreshes_at_once_succeeds(api: Api) -> None:
    login = await api.register()
    replies = await asyncio.gather(
        *(api.client.post("/api/v1/auth/refresh", json={"refresh_token": login.refresh}) for _ in range(5))
    )
    assert sorted(reply.status_code for reply in replies) == [200, 401, 401, 401, 401]


async def test_logging_out_ends_access_tokens_too_and_only_this_login(api: Api) -> None:
    email = address()
    here = login_of(await api.client.post("/api/v1/auth/register", json=body(email)))
    there = login_of(await api.client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD}))
    reply = await api.client.post("/api/v1/auth/logout", json={"refresh_token": here.refresh})
    assert reply.status_code == 204
    assert (await who(api, here), await who(api, there)) == (401, 200)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic YTpi", "bearer é"])
async def test_without_a_valid_token_nobody_gets_in(api: Api, header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
    reply = await api.client.get("/api/v1/auth/me", headers=headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["type"] == "urn:genai-auto:problem:not-authenticated"


async def test_a_refresh_token_opens_no_door(api: Api) -> None:
    login = await api.register()
    assert await who(api, Login(login.id, login.refresh, login.refresh)) == 401
    reply = await api.client.post("/api/v1/auth/refresh", json={"refresh_token": login.access})
    assert reply.status_code == 401


async def test_a_deleted_account_is_out(api: Api) -> None:
    login = await api.register()
    await api.sql("DELETE FROM users WHERE id = $1", UUID(login.id))
    assert await who(api, login) == 401
