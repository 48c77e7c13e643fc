"""`/api/v1/auth`: routes translate, the service decides."""

from fastapi import APIRouter

from genai_app.auth.dependencies import AccountsDependency, CountedAddress, CurrentUser
from genai_app.auth.schemas import LoginRequest, Me, RefreshRequest, RegisterRequest, TokenResponse
from genai_contract.endpoints import AUTH_PREFIX

router = APIRouter(prefix=AUTH_PREFIX, tags=["accounts"])


@router.post("/register", status_code=201, dependencies=[CountedAddress])
async def register(body: RegisterRequest, accounts: AccountsDependency) -> TokenResponse:
    """Create a customer account and log in."""
    return TokenResponse.of(await accounts.register(email=body.email, password=body.password, name=body.name))


@router.post("/login", dependencies=[CountedAddress])
async def login(body: LoginRequest, accounts: AccountsDependency) -> TokenResponse:
    """Log in with e-mail address and password."""
    return TokenResponse.of(await accounts.log_in(email=body.email, password=body.password))


@router.post("/refresh", dependencies=[CountedAddress])
async def refresh(body: RefreshRequest, accounts: AccountsDependency) -> TokenResponse:
    """Exchange a refresh token for a new pair. Using one twice ends the login."""
    return TokenResponse.of(await accounts.refresh(body.refresh_token))


@router.post("/logout", status_code=204, dependencies=[CountedAddress])
async def logout(body: RefreshRequest, accounts: AccountsDependency) -> None:
    """End this login at once, on every replica."""
    await accounts.log_out(body.refresh_token)


@router.get("/me")
async def me(who: CurrentUser) -> Me:
    """The caller's own account."""
    return Me(user_id=who.user_id, email=who.email, name=who.name, role=who.role, customer_id=who.customer_id)
