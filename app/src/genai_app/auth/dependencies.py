"""What routes ask for: who is calling, and whether they may call again already."""

from typing import Annotated, cast

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from genai_app.admission import Gate
from genai_app.auth.identity import Identity
from genai_app.auth.service import Accounts
from genai_app.errors import NotAuthenticated
from genai_app.ratelimit import PER_ADDRESS, PER_USER

_bearer = HTTPBearer(auto_error=False, description="The access_token of a log-in.")


def accounts(request: Request) -> Accounts:
    """The application's accounts."""
    return cast("Accounts", request.app.state.accounts)


def gate(request: Request) -> Gate:
    """The application's gate."""
    return cast("Gate", request.app.state.gate)


async def identified(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Identity:
    """The caller, not yet counted against the rate limit: for routes that count with another trip to Redis."""
    if credentials is None:
        raise NotAuthenticated("Send the header `Authorization: Bearer <access_token>`.")
    return await accounts(request).identify(credentials.credentials)


async def current_user(request: Request, response: Response, who: Annotated[Identity, Depends(identified)]) -> Identity:
    """The caller, counted. Raises TooMany."""
    admission = await gate(request).admit(PER_USER, str(who.user_id))
    response.headers.update(admission.headers)
    return who


async def counted_address(request: Request, response: Response) -> None:
    """Counts the caller's address, for routes without a token. Raises TooMany."""
    address = request.client.host if request.client else "unknown"
    admission = await gate(request).admit(PER_ADDRESS, address)
    response.headers.update(admission.headers)


AccountsDependency = Annotated[Accounts, Depends(accounts)]
Identified = Annotated[Identity, Depends(identified)]
CurrentUser = Annotated[Identity, Depends(current_user)]
CountedAddress = Depends(counted_address)
