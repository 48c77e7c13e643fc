"""Tokens: what they say, and what is not accepted as one."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest

from genai_app.auth.identity import Role
from genai_app.auth.tokens import CLAIMS, Tokens
from genai_app.errors import NotAuthenticated
from genai_app.settings import Settings

SECRET, OTHER = "a" * 64, "b" * 64
USER, SESSION = uuid4(), uuid4()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(Settings.from_environment({"JWT_SECRET_KEY": SECRET}))


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims of an access token, changed; a change to None removes a claim."""
    now = int(time.time())
    good = {
        "sub": str(USER), "type": "access", "jti": str(uuid4()), "iat": now, "exp": now + 60, "iss": "genai-auto",
        "aud": "genai-auto-api", "role": "customer", "sid": str(SESSION),
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(key: str = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_token_says_who_and_nothing_personal(tokens: Tokens) -> None:
    pair = tokens.pair(USER, Role.CUSTOMER, SESSION)
    said = jwt.decode(pair.access, options={"verify_signature": False})
    assert said.keys() == set(CLAIMS)
    assert (said["sub"], said["sid"], said["role"]) == (str(USER), str(SESSION), "customer")
    assert said["exp"] - said["iat"] == pair.expires_in == 1800
    assert tokens.read(pair.access, "access").user_id == USER
    assert tokens.read(pair.refresh, "refresh").token_id == pair.refresh_id


def test_a_hand_made_token_with_good_claims_is_accepted(tokens: Tokens) -> None:
    """The control: each attack below differs from this in one thing."""
    assert tokens.read(signed(), "access").session_id == SESSION


ATTACKS = {
    "no token": "",
    "no JWT": "a.b.c",
    "not ASCII": "é.é.é",
    "none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims())}.",
    "None with a signature": f"{part({'alg': 'None'})}.{part(claims())}.{signed().split('.')[2]}",
    "no signature": signed().rpartition(".")[0] + ".",
    "other key": signed(OTHER),
    "HS384": signed(algorithm="HS384"),
    "HS512": signed(algorithm="HS512"),
    "changed claims": f"{signed().split('.')[0]}.{part(claims(role='admin'))}.{signed().split('.')[2]}",
    "kid to a file": signed(OTHER, headers={"kid": "/dev/null"}),
    "jku to elsewhere": signed(OTHER, headers={"jku": "https://evil.example/keys"}),
    "embedded key": signed(OTHER, headers={"jwk": {"kty": "oct", "k": part("x")}}),
    "unknown critical header": signed(headers={"crit": ["x"], "x": 1}),
    "expired": signed(exp=int(time.time()) - 60),
    "not yet issued": signed(iat=int(time.time()) + 600),
    "not yet valid": signed(nbf=int(time.time()) + 600),
    "other issuer": signed(iss="somebody"),
    "other audience": signed(aud="another-api"),
    "refresh token": signed(type="refresh"),
    "unknown type": signed(type="id"),
    "subject is no id": signed(sub="admin"),
    "session is no id": signed(sid="*"),
    "exp is text": signed(exp="never"),
    **{f"without {name}": jwt.encode(claims(**{name: None}), SECRET) for name in CLAIMS},
}


@pytest.mark.parametrize("token", ATTACKS.values(), ids=ATTACKS.keys())
def test_nothing_else_is_accepted(tokens: Tokens, token: str) -> None:
    with pytest.raises(NotAuthenticated, match="token"):
        tokens.read(token, "access")


def test_a_rotation_logs_nobody_out() -> None:
    before = Tokens(Settings.from_environment({"JWT_SECRET_KEY": SECRET}))
    after = Tokens(Settings.from_environment({"JWT_SECRET_KEY": OTHER, "JWT_PREVIOUS_SECRET_KEY": SECRET}))
    assert after.read(before.pair(USER, Role.ADMIN, SESSION).access, "access").user_id == USER
    with pytest.raises(NotAuthenticated):
        before.read(after.pair(USER, Role.ADMIN, SESSION).access, "access")


def test_lives_are_settings() -> None:
    settings = Settings.from_environment(
        {"JWT_SECRET_KEY": SECRET, "JWT_ACCESS_EXPIRE_MINUTES": "5", "JWT_REFRESH_EXPIRE_DAYS": "2"}
    )
    pair = Tokens(settings).pair(USER, Role.CUSTOMER, SESSION)
    lives = [jwt.decode(token, options={"verify_signature": False}) for token in (pair.access, pair.refresh)]
    assert [said["exp"] - said["iat"] for said in lives] == [5 * 60, 2 * 86400]
