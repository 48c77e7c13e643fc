"""Access and refresh tokens: JWT, HS256, no personal data; two keys may be live during a rotation."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import jwt

from genai_app.auth.identity import Role
from genai_app.errors import NotAuthenticated
from genai_app.settings import Settings

ISSUER, AUDIENCE = "genai-auto", "genai-auto-api"
CLAIMS: Final = ("sub", "type", "jti", "iat", "exp", "iss", "aud", "role", "sid")
CLOCK_LEEWAY_SECONDS: Final = 5
MOST_KNOWN: Final = 4096
"""Tokens that are remembered as valid: those of so many users at once, about 4 MiB."""

Kind = Literal["access", "refresh"]


@dataclass(frozen=True)
class Claims:
    """What a valid token says: the user, the login (token family), the token's own id, and its end in Unix time.

    Whether the login still stands is the database's word.
    """

    user_id: UUID
    session_id: UUID
    token_id: UUID
    expires_at: int


@dataclass(frozen=True)
class TokenPair:
    """A new pair; `refresh_id` is the `jti` of the refresh token, `expires_in` the access token's life in seconds."""

    access: str
    refresh: str
    refresh_id: UUID
    expires_in: int


class Tokens:
    """Signs with the current key; accepts the current and the previous one."""

    def __init__(self, settings: Settings) -> None:
        previous = settings.jwt_previous_secret_key.get_secret_value()
        self._signing = settings.jwt_secret_key.get_secret_value()
        self._accepted = (self._signing, previous) if previous else (self._signing,)
        self.access_seconds = settings.jwt_access_expire_minutes * 60
        self.refresh_seconds = settings.jwt_refresh_expire_days * 86400
        self._algorithm = settings.jwt_algorithm
        self._jwt = jwt.PyJWT()
        self._known: OrderedDict[tuple[str, Kind], Claims] = OrderedDict()

    def pair(self, user_id: UUID, role: Role, session_id: UUID) -> TokenPair:
        """A fresh access and refresh token of one login."""
        refresh_id = uuid4()
        return TokenPair(
            access=self._signed("access", user_id, role, session_id, uuid4(), self.access_seconds),
            refresh=self._signed("refresh", user_id, role, session_id, refresh_id, self.refresh_seconds),
            refresh_id=refresh_id,
            expires_in=self.access_seconds,
        )

    def read(self, token: str, kind: Kind) -> Claims:
        """The claims of a valid token of this kind. Raises NotAuthenticated without saying which check failed.

        A token that was valid stays so until its end, and is not checked again: that is an eighth of a cached answer.
        """
        known = self._known.get((token, kind))
        if known is not None and time.time() < known.expires_at:
            self._known.move_to_end((token, kind))
            return known
        claims = self._checked(token, kind)
        self._known[token, kind] = claims
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return claims

    def _checked(self, token: str, kind: Kind) -> Claims:
        for key in self._accepted:
            try:
                claims = self._jwt.decode(
                    token,
                    key,
                    algorithms=[self._algorithm],
                    audience=AUDIENCE,
                    issuer=ISSUER,
                    leeway=CLOCK_LEEWAY_SECONDS,
                    options={"require": list(CLAIMS)},
                )
                if claims["type"] != kind:
                    break
                return Claims(
                    user_id=UUID(claims["sub"]),
                    session_id=UUID(claims["sid"]),
                    token_id=UUID(claims["jti"]),
                    expires_at=int(claims["exp"]),
                )
            except jwt.ExpiredSignatureError:
                raise NotAuthenticated("The token has expired: refresh it or log in again.") from None
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, ValueError, AttributeError, TypeError):
                break
        raise NotAuthenticated(f"A valid {kind} token is required: log in again.")

    def _signed(self, kind: Kind, user_id: UUID, role: Role, session_id: UUID, token_id: UUID, seconds: int) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "sub": str(user_id),
            "type": kind,
            "jti": str(token_id),
            "iat": now,
            "exp": now + seconds,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "role": role.value,
            "sid": str(session_id),
        }
        return self._jwt.encode(claims, self._signing, algorithm=self._algorithm)
