"""The part `exposure` of the resource: how the service meets the outside."""

from typing import Annotated, Final

from pydantic import Field

from genai_contract.config import AppConfig
from genai_operator.api.fields import ApiModel

_APP: Final = AppConfig()


class Limits(ApiModel):
    """How many requests the API takes: per user, and per address before login. More get 429 with Retry-After."""

    enabled: bool = Field(_APP.rate_limit_enabled, description="Limit requests.")
    api_rps: Annotated[int, Field(ge=1, le=10000)] = Field(
        int(_APP.rate_limit_per_second),
        alias="apiRPS",
        description="Requests of one user in a second, in the long run.",
    )
    api_burst: Annotated[int, Field(ge=1, le=10000)] = Field(
        _APP.rate_limit_burst, description="Requests of one user at once."
    )
    auth_rps: Annotated[int, Field(ge=1, le=10000)] = Field(
        int(_APP.rate_limit_auth_per_second),
        alias="authRPS",
        description="Requests for login and registration from one address in a second, in the long run.",
    )
    auth_burst: Annotated[int, Field(ge=1, le=10000)] = Field(
        _APP.rate_limit_auth_burst, description="Requests for login and registration from one address at once."
    )


class Exposure(ApiModel):
    """How the service meets the outside."""

    limits: Limits = Field(default_factory=Limits, description="How many requests the API takes.")
