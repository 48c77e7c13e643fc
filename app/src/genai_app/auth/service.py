"""Registering, logging in and staying logged in."""

from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from genai_app import db
from genai_app.auth import repository
from genai_app.auth.identity import Identity, Role
from genai_app.auth.passwords import Passwords
from genai_app.auth.repository import Account
from genai_app.auth.tokens import TokenPair, Tokens
from genai_app.errors import NotAuthenticated

WRONG_CREDENTIALS = "The e-mail address or the password is wrong."


@dataclass(frozen=True)
class LoggedIn:
    """An account and its new tokens."""

    account: Account
    tokens: TokenPair


class Accounts:
    """Every way to get or keep a token. Addresses are compared in lower case."""

    def __init__(self, pool: asyncpg.Pool, tokens: Tokens, passwords: Passwords) -> None:
        self._pool = pool
        self._tokens = tokens
        self._passwords = passwords

    async def register(self, *, email: str, password: str, name: str) -> LoggedIn:
        """A new customer, logged in. Raises Conflict when the address is taken."""
        password_hash = await self._passwords.hashed(password)
        async with db.transaction(self._pool) as connection:
            account = await repository.insert_account(
                connection, email=email.lower(), name=name, password_hash=password_hash, role=Role.CUSTOMER
            )
            return await self._logged_in(connection, account)

    async def create_administrator(self, *, email: str, password: str, name: str) -> Account:
        """An account with role `admin`, not logged in. Raises Conflict when the address is taken."""
        password_hash = await self._passwords.hashed(password)
        async with db.transaction(self._pool) as connection:
            return await repository.insert_account(
                connection, email=email.lower(), name=name, password_hash=password_hash, role=Role.ADMIN
            )

    async def exists(self, email: str) -> bool:
        """Whether the address has an account."""
        async with db.connection(self._pool) as connection:
            return await repository.find_account(connection, email.lower()) is not None

    async def log_in(self, *, email: str, password: str) -> LoggedIn:
        """Raises NotAuthenticated, alike and equally late for unknown addresses, wrong passwords, inactive accounts."""
        async with db.connection(self._pool) as connection:
            account = await repository.find_account(connection, email.lower())
        matches = await self._passwords.matches(password, account.password_hash if account else None)
        if account is None or not matches or not account.is_active:
            raise NotAuthenticated(WRONG_CREDENTIALS)
        async with db.connection(self._pool) as connection:
            return await self._logged_in(connection, account)

    async def refresh(self, refresh_token: str) -> LoggedIn:
        """A new pair for an unspent refresh token; a spent one ends its whole family. Raises NotAuthenticated."""
        claims = self._tokens.read(refresh_token, "refresh")
        async with db.connection(self._pool) as connection:
            identity = await repository.find_identity(connection, claims.user_id, claims.session_id)
            if identity is None:
                raise NotAuthenticated("This login has ended: log in again.")
            pair = self._tokens.pair(identity.user_id, identity.role, identity.session_id)
            rotated = await repository.rotate_session(
                connection,
                session_id=identity.session_id,
                spent=claims.token_id,
                fresh=pair.refresh_id,
                seconds=self._tokens.refresh_seconds,
            )
        if not rotated:
            raise NotAuthenticated("This refresh token was used before, so the login was ended: log in again.")
        account = Account(identity.user_id, identity.email, identity.name, identity.role, True, "")
        return LoggedIn(account, pair)

    async def log_out(self, refresh_token: str) -> None:
        """End the token family of this refresh token. Raises NotAuthenticated when it is not one of ours."""
        claims = self._tokens.read(refresh_token, "refresh")
        async with db.connection(self._pool) as connection:
            await repository.revoke_session(connection, claims.session_id)

    async def identify(self, access_token: str) -> Identity:
        """Who sends this access token. Raises NotAuthenticated."""
        claims = self._tokens.read(access_token, "access")
        async with db.connection(self._pool) as connection:
            identity = await repository.find_identity(connection, claims.user_id, claims.session_id)
        if identity is None:
            raise NotAuthenticated("This login has ended: log in again.")
        return identity

    async def _logged_in(self, connection: asyncpg.Connection, account: Account) -> LoggedIn:
        session_id = uuid4()
        pair = self._tokens.pair(account.id, account.role, session_id)
        await repository.open_session(
            connection,
            session_id=session_id,
            user_id=account.id,
            refresh_id=pair.refresh_id,
            seconds=self._tokens.refresh_seconds,
        )
        return LoggedIn(account, pair)
