"""Every setting of the agent API, once: the operator writes it, the app reads it.

An environment variable's name is the field's name in capitals (`llm_model` is `LLM_MODEL`), so neither side spells one.
`AppConfig` is public and goes into a ConfigMap; `AppSecrets` is secret and comes from Kubernetes Secrets.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from genai_contract.endpoints import HTTP_PORT, METRICS_PORT


class Environment(StrEnum):
    """How strict the app is at start: Production refuses known or short secrets."""

    DEVELOPMENT = "Development"
    STAGING = "Staging"
    PRODUCTION = "Production"


class LLMProvider(StrEnum):
    """Who answers. `offline` extracts answers from the retrieved passages and needs no network."""

    AUTO = "auto"
    OPENROUTER = "openrouter"
    OPENAI_COMPATIBLE = "openai-compatible"
    OFFLINE = "offline"


class EmbeddingProvider(StrEnum):
    """Who turns text into vectors. `auto`: the API when the model provider has one, else the packaged model."""

    AUTO = "auto"
    PACKAGED = "packaged"
    API = "api"


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

DEFAULT_JWT_SECRETS: Final = frozenset({"change-me-in-production", "change-me-in-production-use-openssl-rand-hex-32"})
"""Published constants of the Docker Compose set-up (guide 4.2): never accepted in Production."""


class AppConfig(BaseModel):
    """The public settings. Names and defaults are those of the deployment guide's section 4.1 where it has them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    environment: Environment = Field(Environment.DEVELOPMENT, description="How strict the app is at start.")
    api_host: str = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104 - a pod listens on its own address
    api_port: Annotated[int, Field(ge=1, le=65535)] = Field(HTTP_PORT, description="Port of the API.")
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        METRICS_PORT, description="Port of the metrics for scrapers; 0 serves them on the API's port only."
    )
    trusted_proxies: str = Field(
        "", description="Addresses or CIDRs, comma-separated, whose X-Forwarded-For names the client; empty: nobody's."
    )
    docs_enabled: bool = Field(True, description="Serve /docs, /redoc and /openapi.json.")
    log_level: LogLevel = Field("INFO", description="Least severe level that is logged.")

    database_url: str = Field("", description="The whole database URL; wins over the POSTGRES_* parts.")
    postgres_host: str = Field("localhost", description="Database host.")
    postgres_port: Annotated[int, Field(ge=1, le=65535)] = Field(5432, description="Database port.")
    postgres_db: str = Field("genai_auto", description="Database name.")
    postgres_user: str = Field("genai", description="Database role.")
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = Field(10, description="Connections per process.")

    redis_url: str = Field("", description="Redis URL without the password; empty: no cache and no rate limit.")
    cache_enabled: bool = Field(True, description="Answer repeated questions from the cache.")
    cache_ttl: Annotated[int, Field(ge=1)] = Field(3600, description="Seconds that a cached answer lives.")
    rate_limit_enabled: bool = Field(True, description="Limit requests per user, or per address before login.")

    llm_provider: LLMProvider = Field(
        LLMProvider.AUTO, description="`auto` is `openrouter` when OPENROUTER_API_KEY is set, else `offline`."
    )
    openrouter_base_url: str = Field(
        "https://openrouter.ai/api/v1", description="Base URL of the OpenAI-compatible model server."
    )
    llm_model: str = Field("tngtech/deepseek-r1t2-chimera:free", description="Model that answers.")
    llm_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        60, description="Longest time for one model call in seconds, retries included."
    )
    embedding_provider: EmbeddingProvider = Field(
        EmbeddingProvider.AUTO, description="`auto` is `api` with a model server, else `packaged`."
    )
    embedding_model: str = Field("nomic-ai/nomic-embed-text-v1.5", description="Embedding model of the API provider.")
    embedding_dimension: Annotated[int, Field(ge=1, le=2000)] = Field(768, description="Length of stored vectors.")
    similarity_top_k: Annotated[int, Field(ge=1, le=20)] = Field(5, description="Passages that an answer may use.")

    jwt_access_expire_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(30, description="Life of an access token.")
    jwt_refresh_expire_days: Annotated[int, Field(ge=1, le=90)] = Field(7, description="Life of a refresh token.")

    def environment_variables(self) -> dict[str, str]:
        """What differs from the defaults, as NAME: text for a ConfigMap; reading it back gives an equal value."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return {name.upper(): _text(value) for name, value in sorted(values.items())}

    @classmethod
    def from_environment_variables(cls, variables: dict[str, str]) -> Self:
        """Parse NAME: text. Raises pydantic.ValidationError that names the wrong variable; ignores foreign names."""
        return cls.model_validate(
            {name.lower(): value for name, value in variables.items() if name.lower() in cls.model_fields}
        )


class AppSecrets(BaseModel):
    """The secret settings; `repr` and logs never show them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    postgres_password: SecretStr = Field(SecretStr("genai_secret"), description="Password of the database role.")
    redis_password: SecretStr = Field(SecretStr(""), description="Password of Redis; empty: none.")
    openrouter_api_key: SecretStr = Field(SecretStr(""), description="Key of the model server.")
    jwt_secret_key: SecretStr = Field(
        SecretStr("change-me-in-production"), description="Signs tokens: `openssl rand -hex 32`."
    )
    jwt_previous_secret_key: SecretStr = Field(
        SecretStr(""),
        description="The signing key before a rotation: its tokens stay valid; nothing is signed with it.",
    )


SECRET_VARIABLES: Final = tuple(name.upper() for name in AppSecrets.model_fields)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
