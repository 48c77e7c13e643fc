"""Who somebody is: given by a command, asked of the database at every request, and never taken from a caller."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.app.conftest import TEMPLATE, Api, Servers
from typer.testing import CliRunner

from genai_app.__main__ import app
from genai_app.auth.identity import Role
from genai_app.commands import change_account

pytestmark = pytest.mark.service


async def change(api: Api, user_id: str, **fields: Any) -> str:
    """What the command `change-account` reports."""
    [(email,)] = await api.sql("SELECT email FROM users WHERE id = $1", UUID(user_id))
    lines: list[str] = []
    nothing: dict[str, Any] = {"role": None, "is_active": None}
    await change_account(api.settings, email.upper(), **{**nothing, **fields}, report=lines.append)
    return "".join(lines)


async def me(api: Api, headers: dict[str, str]) -> tuple[int, str | None]:
    reply = await api.client.get("/api/v1/auth/me", headers=headers)
    return reply.status_code, reply.json().get("role")


@pytest.mark.parametrize("extra", [{"role": "admin"}, {"is_admin": True}, {"is_active": False, "customer_id": "x"}])
async def test_registering_gives_no_role(api: Api, extra: dict[str, object]) -> None:
    body = {"email": f"{uuid4().hex[:12]}@example.com", "password": "correct horse", "name": "Eve", **extra}
    reply = await api.client.post("/api/v1/auth/register", json=body)
    assert reply.status_code == 201
    assert await me(api, {"Authorization": f"Bearer {reply.json()['access_token']}"}) == (200, "customer")


async def test_a_role_changes_at_the_next_request(api: Api) -> None:
    ana = await api.register()
    assert "has the role agent and is active" in await change(api, ana.id, role=Role.AGENT)
    assert await me(api, ana.headers) == (200, "agent")


async def test_an_inactive_account_is_locked_and_its_logins_stay_ended(api: Api) -> None:
    ana = await api.register()
    assert "is inactive" in await change(api, ana.id, is_active=False)
    assert await me(api, ana.headers) == (401, None)
    assert "the role customer and is active" in await change(api, ana.id, is_active=True)
    assert await me(api, ana.headers) == (401, None)
    [(email,)] = await api.sql("SELECT email FROM users WHERE id = $1", UUID(ana.id))
    reply = await api.client.post("/api/v1/auth/login", json={"email": email, "password": "correct horse"})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("--role", "agent"), 1, "No account has this e-mail address"), ((), 2, "say what to change"),
        (("--role", "king"), 2, "king"), (("--inactive",), 1, "No account has this e-mail address"),
    ],
)  # fmt: skip
def test_a_command_without_sense_says_so(servers: Servers, arguments: tuple[str, ...], status: int, says: str) -> None:
    variables = {**servers.variables, "POSTGRES_DB": TEMPLATE}
    refused = CliRunner().invoke(app, ["change-account", "--email", "nobody@example.com", *arguments], env=variables)
    assert (refused.exit_code, says in refused.output) == (status, True), refused.output
