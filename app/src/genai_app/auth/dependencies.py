"""What routes ask for: who is calling, and whether they may call again already."""

from typing import Annotated, cast

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from genai_app.admission import Gate
from genai_app.auth.identity import Identity
from genai_app.auth.service import Accounts
from genai_app.auth.tokens import Claims
from genai_app.errors import NotAuthenticated
from genai_app.ratelimit import PER_ADDRESS, PER_USER, Limit, address_subject

_bearer = HTTPBearer(auto_error=False, description="The access_token of a log-in.")


async def accounts(request: Request) -> Accounts:
    """The application's accounts. Like all dependencies here no plain `def`: those are run in threads."""
    return cast("Accounts", request.app.state.accounts)


AccountsDependency = Annotated[Accounts, Depends(accounts)]


async def claims(
    accounts: AccountsDependency, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Claims:
    """What the caller's token says; nobody has been asked yet whether its login stands, and nothing is counted."""
    if credentials is None:
        raise NotAuthenticated("Send the header `Authorization: Bearer <access_token>`.")
    return accounts.claims(credentials.credentials)


TokenClaims = Annotated[Claims, Depends(claims)]


async def current_user(request: Request, response: Response, said: TokenClaims) -> Identity:
    """The caller, counted. Raises TooMany."""
    return await _counted(request, response, said, PER_USER)


async def guarded_user(request: Request, response: Response, said: TokenClaims) -> Identity:
    """The caller, counted as strictly as those who log in: for routes that ask for the password. Raises TooMany."""
    return await _counted(request, response, said, PER_ADDRESS)


async def counted_address(request: Request, response: Response) -> None:
    """Counts the caller's address, for routes without a token. Raises TooMany."""
    address = request.client.host if request.client else "unknown"
    admission = await _gate(request).admit(PER_ADDRESS, address_subject(address))
    response.headers.update(admission.headers)


async def _counted(request: Request, response: Response, said: Claims, limit: Limit) -> Identity:
    admission = await _gate(request).admit(limit, str(said.user_id), session=said.session_id)
    response.headers.update(admission.headers)
    identity: Identity = await request.app.state.accounts.identity(said)
    return identity


def _gate(request: Request) -> Gate:
    return cast("Gate", request.app.state.gate)


CurrentUser = Annotated[Identity, Depends(current_user)]
GuardedUser = Annotated[Identity, Depends(guarded_user)]
CountedAddress = Depends(counted_address)
