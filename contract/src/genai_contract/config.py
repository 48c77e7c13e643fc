"""Every setting of the agent API, once: the operator writes it, the app reads it.

An environment variable's name is the field's name in capitals (`llm_model` is `LLM_MODEL`), so neither side spells one.
`AppConfig` is public and goes into a ConfigMap; `AppSecrets` is secret and comes from Kubernetes Secrets.
`resource.py` says which field of the resource `GenAIAuto` each setting follows.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from genai_contract.endpoints import DRAIN_SECONDS, HTTP_PORT, METRICS_PORT, PRIVATE_PATHS


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


class SSLMode(StrEnum):
    """How strictly the database's certificate is checked; names and meaning are libpq's."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class VectorIndex(StrEnum):
    """Indexes over vectors, by pgvector's names."""

    HNSW = "hnsw"
    IVFFLAT = "ivfflat"


class OnLimit(StrEnum):
    """What becomes of a question when a budget is spent."""

    ALERT_ONLY = "AlertOnly"
    FALLBACK_MODEL = "FallbackModel"
    CACHE_ONLY = "CacheOnly"
    BLOCK = "Block"


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

DEFAULT_JWT_SECRETS: Final = frozenset({"change-me-in-production", "change-me-in-production-use-openssl-rand-hex-32"})
"""Published constants of the Docker Compose set-up (guide 4.2): never accepted in Production."""

SHORTEST_JWT_SECRET: Final = 32
"""Characters. HS256 needs a key of at least its digest's 256 bits; `openssl rand -hex 32` gives 64 characters."""


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
    cors_allowed_origins: str = Field(
        "", description="Origins, comma-separated, whose pages may call the API from a browser; `*`: every origin."
    )
    max_body_bytes: Annotated[int, Field(ge=1)] = Field(
        50 * 1024 * 1024, description="Largest body of a request; a larger one gets 413. Single routes take less."
    )
    private_paths: str = Field(
        ",".join(sorted(PRIVATE_PATHS)),
        description="Paths, comma-separated, that are 404 for whoever comes through a proxy, with all below them.",
    )
    docs_enabled: bool = Field(True, description="Serve /docs, /redoc and /openapi.json.")
    drain_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        DRAIN_SECONDS, description="Seconds that requests and WebSockets get to end after SIGTERM."
    )
    log_level: LogLevel = Field("INFO", description="Least severe level that is logged.")
    debug: bool = Field(False, description="Log at DEBUG whatever LOG_LEVEL says, SQL statements included.")

    database_url: str = Field("", description="The whole database URL; wins over the POSTGRES_* parts.")
    postgres_host: str = Field("localhost", description="Database host.")
    postgres_port: Annotated[int, Field(ge=1, le=65535)] = Field(5432, description="Database port.")
    postgres_db: str = Field("genai_auto", description="Database name.")
    postgres_user: str = Field("genai", description="Database role.")
    postgres_sslmode: SSLMode = Field(
        SSLMode.PREFER, description="How strictly the database's certificate is checked, as libpq means it."
    )
    postgres_sslrootcert: str = Field(
        "", description="File with the certificates of authorities for the database; empty: the system's."
    )
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = Field(10, description="Connections per process.")

    redis_url: str = Field("", description="Redis URL without the password; empty: no cache and no rate limit.")
    redis_ca_file: str = Field(
        "", description="File with the certificates of authorities for rediss://; empty: the system's."
    )
    cache_enabled: bool = Field(True, description="Answer repeated questions from the cache.")
    cache_ttl: Annotated[int, Field(ge=1)] = Field(3600, description="Seconds that a cached answer lives.")
    cache_semantic_enabled: bool = Field(
        True, description="Answer questions from the cache that ask the same in other words, too."
    )
    rate_limit_enabled: bool = Field(True, description="Limit requests per user, or per address before login.")
    rate_limit_per_second: Annotated[float, Field(gt=0)] = Field(
        30, description="Requests of one user in a second, in the long run."
    )
    rate_limit_burst: Annotated[int, Field(ge=1)] = Field(50, description="Requests of one user at once.")
    rate_limit_auth_per_second: Annotated[float, Field(gt=0)] = Field(
        5, description="Requests for login and registration from one address in a second, in the long run."
    )
    rate_limit_auth_burst: Annotated[int, Field(ge=1)] = Field(
        10, description="Requests for login and registration from one address at once."
    )

    llm_provider: LLMProvider = Field(
        LLMProvider.AUTO, description="`auto` is `openrouter` when OPENROUTER_API_KEY is set, else `offline`."
    )
    openrouter_base_url: str = Field(
        "https://openrouter.ai/api/v1", description="Base URL of the OpenAI-compatible model server."
    )
    llm_model: str = Field("tngtech/deepseek-r1t2-chimera:free", description="Model that answers.")
    llm_fallback_models: str = Field(
        "", description="Models, comma-separated, at most 5, that are tried in order when the first one fails."
    )
    llm_http_referer: str = Field(
        "", description="Address of this installation, sent to the model server as HTTP-Referer; empty: none is sent."
    )
    llm_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        60, description="Longest time for one model call in seconds, retries included."
    )
    embedding_provider: EmbeddingProvider = Field(
        EmbeddingProvider.AUTO, description="`auto` is `api` with a model server, else `packaged`."
    )
    embedding_model: str = Field("nomic-ai/nomic-embed-text-v1.5", description="Embedding model of the API provider.")
    embedding_dimension: Annotated[int, Field(ge=1, le=2000)] = Field(768, description="Length of stored vectors.")
    vector_index: VectorIndex = Field(
        VectorIndex.HNSW,
        description="Index over vectors: hnsw, or ivfflat, which is built faster and finds less; `genai-auto migrate` "
        "and `ingest` bring the database to it.",
    )
    vector_index_hnsw_m: Annotated[int, Field(ge=4, le=100)] = Field(
        16, description="Neighbours of each vector in an hnsw index: more find more, and take more memory."
    )
    vector_index_hnsw_ef_construction: Annotated[int, Field(ge=8, le=1000)] = Field(
        64, description="Candidates while an hnsw index is built, at least twice its neighbours."
    )
    hnsw_ef_search: Annotated[int, Field(ge=20, le=1000)] = Field(
        80, description="Candidates of a search in an hnsw index: more find more, and take longer."
    )
    ivfflat_probes: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="Lists that a search in an ivfflat index reads: more find more, and take longer."
    )
    similarity_top_k: Annotated[int, Field(ge=1, le=20)] = Field(5, description="Passages that an answer may use.")

    confidence_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        0.7, description="A person takes over when the confidence of an answer is below this."
    )
    llm_budget_hourly_warn_usd: Annotated[Decimal, Field(ge=0)] = Field(
        Decimal(10), description="Dollars in one hour from which on a warning is given."
    )
    llm_budget_hourly_limit_usd: Annotated[Decimal, Field(ge=0)] = Field(
        Decimal(50), description="Dollars that models may cost in one hour."
    )
    llm_budget_monthly_limit_usd: Annotated[Decimal, Field(ge=0)] | None = Field(
        None, description="Dollars that models may cost in one calendar month; empty: no limit."
    )
    llm_budget_user_hourly_limit_usd: Annotated[Decimal, Field(ge=0)] | None = Field(
        None, description="Dollars that one user's questions may cost in one hour; empty: no limit."
    )
    llm_budget_on_limit: OnLimit = Field(
        OnLimit.ALERT_ONLY, description="What becomes of a question when a budget is spent."
    )

    mask_pii: bool = Field(True, description="Mask personal data in logs, traces, cache and handoffs.")
    mask_pii_in_prompts: bool = Field(False, description="Mask personal data in what models get to read, too.")
    langchain_tracing_v2: bool = Field(False, description="Send masked traces of every turn to LangSmith.")
    langchain_endpoint: str = Field("https://api.smith.langchain.com", description="LangSmith's API.")
    langchain_project: str = Field("genai-auto", description="Project in LangSmith that the traces go to.")
    otel_exporter_otlp_endpoint: str = Field(
        "", description="Base URL of an OpenTelemetry collector (OTLP over HTTP) for masked traces; empty: none."
    )
    otel_service_name: str = Field("genai-auto", description="Name of this service in OpenTelemetry traces.")

    handoff_dead_letter_hours: Annotated[float, Field(gt=0)] = Field(
        24, description="Hours after which an undelivered handoff is given up and counted as a dead letter."
    )
    scheduler_api_url: str = Field("", description="Base URL of an external scheduler; empty: the built-in one.")
    service_timezone: str = Field("UTC", description="Time zone of the workshop, such as America/Sao_Paulo.")
    scheduler_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        5, description="Longest time for one call of the scheduling system in seconds, retries included."
    )
    service_opening_hours: str = Field(
        "Mon-Fri 08:00-18:00, Sat 08:00-12:00", description="When cars are taken in, by weekday, comma-separated."
    )
    service_closed_days: str = Field("", description="Days without appointments, such as 2026-12-25, comma-separated.")
    service_slot_minutes: Annotated[int, Field(ge=5, le=600)] = Field(60, description="Length of an appointment.")
    service_bays: Annotated[int, Field(ge=1, le=100)] = Field(1, description="Cars that one slot takes.")

    jwt_algorithm: Literal["HS256"] = Field("HS256", description="How tokens are signed; there is no other way.")
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
    human_support_webhook: SecretStr = Field(
        SecretStr(""), description="URL that handoffs are sent to; empty: they wait at the local desk."
    )
    human_support_webhook_secret: SecretStr = Field(SecretStr(""), description="Key that signs handoffs (HMAC-SHA256).")
    langchain_api_key: SecretStr = Field(SecretStr(""), description="Key of LangSmith.")
    otel_exporter_otlp_headers: SecretStr = Field(
        SecretStr(""), description="Headers for the OpenTelemetry collector: `name=value`, comma-separated."
    )
    scheduler_api_key: SecretStr = Field(SecretStr(""), description="Key of the external scheduler.")


SECRET_VARIABLES: Final = tuple(name.upper() for name in AppSecrets.model_fields)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
