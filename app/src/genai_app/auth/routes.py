"""`/api/v1/auth`: routes translate, the service decides."""

from fastapi import APIRouter, Response

from genai_app.auth.dependencies import AccountsDependency, CountedAddress, CurrentUser, GuardedUser
from genai_app.auth.schemas import (
    DeleteRequest,
    LoginRequest,
    Me,
    PasswordRequest,
    RefreshRequest,
    RegisterRequest,
    TokenResponse,
)
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


@router.post("/password", status_code=204)
async def change_password(body: PasswordRequest, who: GuardedUser, accounts: AccountsDependency) -> None:
    """Change the password. Every other login of the account ends; this one stays."""
    await accounts.change_password(who, current=body.current_password, new=body.new_password)


@router.delete("/me", status_code=204)
async def delete_me(body: DeleteRequest, who: GuardedUser, accounts: AccountsDependency) -> None:
    """Delete the account with everything personal: records, vehicles, appointments, conversations. There is no undo."""
    await accounts.delete(who, password=body.password)


@router.get("/me/export", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def export_me(who: GuardedUser, accounts: AccountsDependency) -> Response:
    """Everything that is stored about the caller, as JSON."""
    return Response(
        await accounts.export(who),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"},
    )
