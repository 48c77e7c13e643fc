"""No token but a good one opens a door: each attack is sent to a running API in place of a real login's token."""

import jwt
import pytest
from tests.app.auth.attacks import ATTACKS, Attack, Forge
from tests.app.conftest import Api, Login

pytestmark = pytest.mark.service


@pytest.fixture(scope="session")
async def victim(shared_api: Api) -> Login:
    """A login that stays."""
    return await shared_api.register()


def forge(api: Api, login: Login, kind: str = "access") -> Forge:
    said = jwt.decode(login.access, options={"verify_signature": False})
    return Forge(api.settings.jwt_secret_key.get_secret_value(), said["sub"], said["sid"], kind)


async def status(api: Api, token: str) -> int:
    header = f"Bearer {token}".strip().encode("latin-1")
    reply = await api.client.get("/api/v1/auth/me", headers=[(b"Authorization", header)])
    if reply.status_code != 200:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["www-authenticate"] == "Bearer"
        assert len(token) < 20 or token not in reply.text
    return reply.status_code


async def test_a_hand_made_token_with_the_real_key_is_accepted(api: Api, victim: Login) -> None:
    """The control: what makes the attacks fail is what is wrong with each."""
    assert await status(api, forge(api, victim).signed()) == 200


def test_the_table_is_long_enough() -> None:
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_an_attack_is_refused(api: Api, victim: Login, attack: Attack) -> None:
    assert await status(api, attack(forge(api, victim))) == 401


async def test_a_token_for_somebody_elses_login_is_refused(api: Api, victim: Login) -> None:
    """User and login must belong together, even when the key has leaked to whoever mixes them."""
    mine, theirs = forge(api, await api.register("Eve")), forge(api, victim)
    assert await status(api, mine.signed(sub=theirs.user)) == 401
    assert await status(api, mine.signed(sid=theirs.session)) == 401


async def test_a_role_in_a_token_gives_nothing(api: Api, victim: Login) -> None:
    token = forge(api, victim).signed(role="admin")
    me = await api.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["role"] == "customer"


NOBODYS_LOGINS = {"nobody", "no such login"}
"""Well signed, they name no login: there is nothing left to log out of."""


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_refreshes_nothing_and_ends_nothing(api: Api, victim: Login, name: str) -> None:
    token = ATTACKS[name](forge(api, victim, "refresh"))
    refused = 401 if 0 < len(token) <= 4096 else 422  # which is no token's length
    for path in ("refresh", "logout"):
        reply = await api.client.post(f"/api/v1/auth/{path}", json={"refresh_token": token})
        expected = 204 if path == "logout" and name in NOBODYS_LOGINS else refused
        assert reply.status_code == expected, reply.text
    assert await status(api, victim.access) == 200
