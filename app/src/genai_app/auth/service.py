"""Registering, logging in and staying logged in."""

from dataclasses import dataclass
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from genai_app import db
from genai_app.admission import ENDED_LOGIN
from genai_app.auth import personal_data, repository
from genai_app.auth.identity import Identity, Role
from genai_app.auth.passwords import Passwords
from genai_app.auth.repository import Account, Ending
from genai_app.auth.revocation import Revocations
from genai_app.auth.tokens import Claims, TokenPair, Tokens
from genai_app.breaker import Breaker
from genai_app.errors import Conflict, Invalid, NotAuthenticated, NotFound
from genai_app.logs import get_logger
from genai_app.settings import Settings

log = get_logger(__name__)

WRONG_CREDENTIALS = "The e-mail address or the password is wrong."


@dataclass(frozen=True)
class LoggedIn:
    """An account and its new tokens."""

    account: Account
    tokens: TokenPair


class Accounts:
    """Every way to get, keep and lose a token, and an account. Addresses are compared in lower case.

    PostgreSQL says which logins stand; `revocations` spreads the word of those that do not.
    """

    def __init__(self, pool: asyncpg.Pool, tokens: Tokens, passwords: Passwords, revocations: Revocations) -> None:
        self._pool = pool
        self._tokens = tokens
        self._passwords = passwords
        self._revocations = revocations

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
        fresh = await self._passwords.hashed(password) if self._passwords.is_outdated(account.password_hash) else None
        async with db.transaction(self._pool) as connection:
            if fresh is not None:
                await repository.replace_password(connection, account.id, old=account.password_hash, new=fresh)
            return await self._logged_in(connection, account)

    async def refresh(self, refresh_token: str) -> LoggedIn:
        """A new pair for an unspent refresh token; a spent one ends its whole family. Raises NotAuthenticated."""
        claims = self._tokens.read(refresh_token, "refresh")
        identity = await self.identity(claims)
        pair = self._tokens.pair(identity.user_id, identity.role, identity.session_id)
        async with db.transaction(self._pool) as connection:
            rotated = await repository.rotate_session(
                connection,
                session_id=identity.session_id,
                spent=claims.token_id,
                fresh=pair.refresh_id,
                seconds=self._tokens.refresh_seconds,
            )
            if not rotated:
                await repository.end_session(connection, claims.user_id, claims.session_id, Ending.REUSE)
        if not rotated:
            log.warning("a spent refresh token was used again", user_id=str(identity.user_id))
            await self._revocations.announce([identity.session_id])
            raise NotAuthenticated("This refresh token was used before, so the login was ended: log in again.")
        account = Account(identity.user_id, identity.email, identity.name, identity.role, True, "")
        return LoggedIn(account, pair)

    async def log_out(self, refresh_token: str) -> None:
        """End the token family of this refresh token; nothing to do when it has ended. Raises NotAuthenticated."""
        claims = self._tokens.read(refresh_token, "refresh")
        async with db.connection(self._pool) as connection:
            ended = await repository.end_session(connection, claims.user_id, claims.session_id, Ending.LOGOUT)
        await self._revocations.announce([claims.session_id] if ended else [])

    def claims(self, access_token: str) -> Claims:
        """What an access token says, without asking anybody whether its login stands. Raises NotAuthenticated."""
        return self._tokens.read(access_token, "access")

    async def identity(self, claims: Claims) -> Identity:
        """Whose login it is, at this moment. Raises NotAuthenticated when it was ended or the account is inactive."""
        async with db.connection(self._pool) as connection:
            identity = await repository.find_identity(connection, claims.user_id, claims.session_id)
        if identity is None:
            raise NotAuthenticated(ENDED_LOGIN)
        return identity

    async def identify(self, access_token: str) -> Identity:
        """Who sends this access token. Raises NotAuthenticated."""
        return await self.identity(self.claims(access_token))

    async def change_password(self, who: Identity, *, current: str, new: str) -> None:
        """Every other login of the account ends. Raises Invalid when `current` is wrong or `new` is the same."""
        stored = await self._checked_password(who, current, field="/current_password")
        if current == new:
            raise Invalid("The new password must differ from the current one.", field="/new_password")
        fresh = await self._passwords.hashed(new)
        async with db.transaction(self._pool) as connection:
            if not await repository.replace_password(connection, who.user_id, old=stored, new=fresh):
                raise Conflict("The password was changed in the meantime: log in again.")
            ended = await repository.end_sessions_of(connection, who.user_id, Ending.PASSWORD, but=who.session_id)
        await self._revocations.announce(ended)

    async def delete(self, who: Identity, *, password: str) -> None:
        """Delete the account and everything personal, for good. Raises Invalid when the password is wrong."""
        await self._checked_password(who, password, field="/password")
        async with db.transaction(self._pool) as connection:
            ended = await repository.delete_account(connection, who.user_id, who.customer_id)
        await self._revocations.announce(ended)

    async def export(self, who: Identity) -> str:
        """Everything personal that is stored, as one JSON object: what `delete` deletes."""
        async with db.connection(self._pool) as connection:
            return await personal_data.export(connection, who.user_id, who.customer_id)

    async def change(self, email: str, *, role: Role | None, is_active: bool | None) -> Account:
        """For operators: change a role, or lock an account, whose logins then end. Raises NotFound."""
        async with db.transaction(self._pool) as connection:
            account = await repository.change_account(connection, email.lower(), role=role, is_active=is_active)
            if account is None:
                raise NotFound("No account has this e-mail address.")
            ended = []
            if not account.is_active:
                ended = await repository.end_sessions_of(connection, account.id, Ending.OPERATOR)
        await self._revocations.announce(ended)
        return account

    async def _checked_password(self, who: Identity, password: str, *, field: str) -> str:
        """The stored hash that the password fits. Raises Invalid that points at `field`."""
        async with db.connection(self._pool) as connection:
            stored = await repository.password_hash_of(connection, who.user_id)
        if stored is None or not await self._passwords.matches(password, stored):
            raise Invalid("This is not your current password.", field=field)
        return stored

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


def build_accounts(
    settings: Settings, pool: asyncpg.Pool, redis: Redis | None = None, breaker: Breaker | None = None
) -> Accounts:
    """The accounts of a process; without Redis, as in a command, PostgreSQL alone tells which logins have ended."""
    tokens = Tokens(settings)
    return Accounts(pool, tokens, Passwords(), Revocations(redis, breaker, seconds=tokens.access_seconds))
