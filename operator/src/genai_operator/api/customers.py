"""What concerns the people that ask: how they sign in, their personal data, and answers kept for the next one."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig
from genai_operator.api.fields import ApiModel
from genai_operator.api.references import JwtSecretRef

_APP: Final = AppConfig()


class Auth(ApiModel):
    """Sign-in of users."""

    jwt_secret_ref: JwtSecretRef | None = Field(
        None, description="Signing key of your own (openssl rand -hex 32). Absent: generated once, in <name>-auth."
    )
    access_expire_minutes: Annotated[int, Field(ge=5, le=1440)] = Field(
        30, description="Life of an access token in minutes. Production refuses more than 60."
    )
    refresh_expire_days: Annotated[int, Field(ge=1, le=90)] = Field(7, description="Life of a refresh token in days.")
    admin_email: Annotated[str, StringConstraints(pattern=r"^$|^[^@\s-][^@\s]*@[^@\s]+\.[^@\s]+$", max_length=254)] = (
        Field(
            "",
            description="E-mail address of the first administrator; empty: none is made. The first password is drawn "
            "once, into the Secret <name>-admin. Another address makes another administrator; none is ever removed.",
        )
    )


class Privacy(ApiModel):
    """Personal data: e-mail addresses, telephone and document numbers, plates and the like."""

    mask_pii: bool = Field(
        _APP.mask_pii,
        alias="maskPII",
        description="Mask personal data in logs, traces, cache and handoffs. Production refuses false.",
    )
    mask_prompts: bool = Field(
        _APP.mask_pii_in_prompts, description="Mask personal data in what models get to read, too."
    )


class SemanticCache(ApiModel):
    """Answers to questions that ask the same in other words."""

    enabled: bool = Field(
        _APP.cache_semantic_enabled,
        description="Answer questions from the cache that ask the same in other words, too.",
    )


class Cache(ApiModel):
    """Answers to repeated questions; kept in Redis, so redis.mode Disabled switches it off, too."""

    enabled: bool = Field(_APP.cache_enabled, description="Answer repeated questions from the cache.")
    ttl_seconds: Annotated[int, Field(ge=1, le=2592000)] = Field(
        _APP.cache_ttl, description="Life of a cached answer in seconds."
    )
    semantic: SemanticCache = Field(
        default_factory=SemanticCache, description="Answers to questions that ask the same in other words."
    )
