"""Bodies of the account routes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field, StringConstraints

from genai_app.auth.identity import Role
from genai_app.auth.service import LoggedIn
from genai_app.fields import Name, Storable

Email = Annotated[EmailStr, Field(max_length=254, examples=["ana@example.com"])]
NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=256)]
KnownPassword = Annotated[str, StringConstraints(min_length=1, max_length=256), Storable]
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class RegisterRequest(BaseModel):
    """A new customer account."""

    email: Email
    password: NewPassword
    name: Name


class LoginRequest(BaseModel):
    """`password` is not held to the rules for new ones: they may have been others once."""

    email: Email
    password: KnownPassword


class RefreshRequest(BaseModel):
    """The refresh token of the last reply; it is spent by this."""

    refresh_token: Token


class PasswordRequest(BaseModel):
    """The new password takes the place of the current one, which is asked for again: a token may be stolen."""

    current_password: KnownPassword
    new_password: NewPassword


class DeleteRequest(BaseModel):
    """The password is asked for again: what follows cannot be undone."""

    password: KnownPassword


class User(BaseModel):
    """Who is logged in."""

    id: UUID
    email: str
    name: str


class TokenResponse(BaseModel):
    """`expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of the scheme
    expires_in: int
    user: User

    @classmethod
    def of(cls, result: LoggedIn) -> "TokenResponse":
        """The reply to a log-in of any kind."""
        account, tokens = result.account, result.tokens
        return cls(
            access_token=tokens.access,
            refresh_token=tokens.refresh,
            expires_in=tokens.expires_in,
            user=User(id=account.id, email=account.email, name=account.name),
        )


class Me(BaseModel):
    """The caller's own account."""

    user_id: UUID
    email: str
    name: str
    role: Role
    customer_id: UUID | None
