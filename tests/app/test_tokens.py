"""Tokens: what they say, and what is not accepted as one."""

import time
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import jwt
import pytest

from genai_app.auth.identity import Role
from genai_app.auth.tokens import CLAIMS, Tokens
from genai_app.errors import NotAuthenticated
from genai_app.settings import Settings
from genai_testbed.waiting import eventually

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


def test_a_token_says_who_and_nothing_personal(tokens: Tokens) -> None:
    pair = tokens.pair(USER, Role.CUSTOMER, SESSION)
    said = jwt.decode(pair.access, options={"verify_signature": False})
    assert said.keys() == set(CLAIMS)
    assert (said["sub"], said["sid"], said["role"]) == (str(USER), str(SESSION), "customer")
    assert said["exp"] - said["iat"] == pair.expires_in == 1800
    assert tokens.read(pair.access, "access").user_id == USER
    assert tokens.read(pair.refresh, "refresh").token_id == pair.refresh_id


def test_a_hand_made_token_with_good_claims_is_accepted(tokens: Tokens) -> None:
    read = tokens.read(jwt.encode(claims(), SECRET, "HS256"), "access")
    assert (read.user_id, read.session_id) == (USER, SESSION)
    assert 0 < read.expires_at - time.time() <= 60


@pytest.mark.parametrize(("seconds", "accepted"), [(-2, True), (-10, False)])
def test_clocks_may_differ_by_a_few_seconds(tokens: Tokens, seconds: int, accepted: bool) -> None:
    """What else is not accepted is sent to a running API: see auth/attacks.py."""
    token = jwt.encode(claims(exp=int(time.time()) + seconds), SECRET, "HS256")
    with nullcontext() if accepted else pytest.raises(NotAuthenticated, match="expired"):
        tokens.read(token, "access")


def test_a_token_that_ends_while_it_is_remembered_is_refused(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai_app.auth.tokens.CLOCK_LEEWAY_SECONDS", 0)
    end = int(time.time()) + 2
    token = jwt.encode(claims(exp=end), SECRET, "HS256")
    assert tokens.read(token, "access") == tokens.read(token, "access")
    with pytest.raises(NotAuthenticated, match="A valid refresh token"):
        tokens.read(token, "refresh")
    eventually(lambda: time.time() >= end, within=5)
    with pytest.raises(NotAuthenticated, match="expired"):
        tokens.read(token, "access")


def test_only_so_many_tokens_are_remembered(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai_app.auth.tokens.MOST_KNOWN", 2)
    several = [jwt.encode(claims(), SECRET, "HS256") for _ in range(4)]
    for token in several:
        tokens.read(token, "access")
    assert [token for token, _ in tokens._known] == several[2:]
    assert tokens.read(several[0], "access").user_id == USER


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
