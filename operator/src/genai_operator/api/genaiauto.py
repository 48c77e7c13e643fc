"""The resource `GenAIAuto`: one running instance of the service, as its owner describes it."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig, Environment, LogLevel
from genai_operator.api.fields import (
    ApiModel,
    ImageName,
    ObjectName,
    Quantity,
    Resources,
    SqlName,
    immutable,
    resources,
)
from genai_operator.api.integrations import Integrations, Workshop
from genai_operator.api.llm import LLM
from genai_operator.api.references import JwtSecretRef

_APP: Final = AppConfig()
_RECREATE = "create a new resource with the wanted value"


Origin = Annotated[
    str,
    StringConstraints(
        pattern=r"^\*$|^https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$",
        max_length=300,
    ),
]
Network = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", max_length=50)]


class PullPolicy(StrEnum):
    """When the node pulls the app's image."""

    IF_NOT_PRESENT = "IfNotPresent"
    ALWAYS = "Always"
    NEVER = "Never"


class DatabaseMode(StrEnum):
    """Who runs the database."""

    MANAGED = "Managed"


class RedisMode(StrEnum):
    """Who runs the cache."""

    MANAGED = "Managed"
    DISABLED = "Disabled"


class PostgresVersion(StrEnum):
    """PostgreSQL majors that the start script knows."""

    V16 = "16"
    V17 = "17"
    V18 = "18"


class EvictionPolicy(StrEnum):
    """What Redis forgets when its memory is full."""

    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_LFU = "volatile-lfu"
    VOLATILE_TTL = "volatile-ttl"


class DeletionPolicy(StrEnum):
    """What becomes of the data when the resource is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Image(ApiModel):
    """The app's image; what is empty comes from the operator's APP_IMAGE."""

    repository: ImageName = Field("", description="Repository without tag; empty: the operator's.")
    tag: Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9_][-a-zA-Z0-9_.]*$", max_length=128)] = Field(
        "", description="Tag; empty: `version`, else the operator's. Production refuses `latest` without a digest."
    )
    digest: Annotated[str, StringConstraints(pattern=r"^$|^sha256:[a-f0-9]{64}$", max_length=71)] = Field(
        "", description="Digest such as sha256:…; wins over the tag."
    )
    pull_policy: PullPolicy = Field(PullPolicy.IF_NOT_PRESENT, description="When the node pulls the image.")


class PullSecret(ApiModel):
    """A reference to a Secret of type kubernetes.io/dockerconfigjson in the same namespace."""

    name: ObjectName = Field(description="Name of the Secret. Required: there is no usual name.")


class Api(ApiModel):
    """The agent API."""

    replicas: Annotated[int, Field(ge=0, le=100)] = Field(
        1, description="Pods that serve; `kubectl scale` writes here. 0 stops serving and keeps all data."
    )
    resources: Resources = Field(
        resources(cpu=("250m", "2"), memory=("512Mi", "2Gi")), description="CPU and memory of each API pod."
    )
    log_level: LogLevel = Field("WARNING", description="Least severe level that is logged. Production refuses DEBUG.")
    cors_allowed_origins: Annotated[tuple[Origin, ...], Field(max_length=32)] = Field(
        (),
        description="Origins whose pages may call the API from a browser, such as https://www.example.com; `*` is "
        "every origin, which Production refuses.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    trusted_proxies: Annotated[tuple[Network, ...], Field(max_length=32)] = Field(
        (),
        description="Addresses or networks such as 10.244.0.0/16 whose X-Forwarded-For names the client: those of the "
        "ingress. With none, limits count the address that connects.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    docs_enabled: bool = Field(_APP.docs_enabled, description="Serve /docs, /redoc and /openapi.json.")


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


class Storage(ApiModel):
    """The volume of the database."""

    size: Quantity = Field(
        "10Gi",
        description="Size of the volume, as integer or string such as 10Gi. It can grow (where the storage class can), "
        "never shrink.",
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",
                    "message": "database.managed.storage.size must not shrink (the default is 10Gi): write "
                    "the old size or more",
                }
            ]
        },
    )
    storage_class_name: Annotated[
        str, StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
    ] = Field(
        "",
        description="Storage class; empty: the cluster's default. Immutable.",
        json_schema_extra=immutable("database.managed.storage.storageClassName", _RECREATE),
    )


class ManagedDatabase(ApiModel):
    """PostgreSQL with pgvector, run by the operator."""

    version: PostgresVersion = Field(
        PostgresVersion.V17,
        description="PostgreSQL major. Immutable: data files of one major cannot be read by another.",
        json_schema_extra=immutable(
            "database.managed.version",
            "data files of one major cannot be read by another; create a new resource and move the data with pg_dump",
        ),
    )
    image: ImageName = Field(
        "", description="Image with PostgreSQL of that major and pgvector; empty: the operator's DATABASE_IMAGE."
    )
    resources: Resources = Field(
        resources(cpu=("500m", "2"), memory=("1Gi", "4Gi")),
        description="CPU and memory of the database. Memory settings of PostgreSQL follow limits.memory.",
    )
    storage: Storage = Field(default_factory=Storage, description="The volume of the database.")


class Database(ApiModel):
    """The database."""

    mode: DatabaseMode = Field(
        DatabaseMode.MANAGED,
        description="Who runs the database. Immutable.",
        json_schema_extra=immutable("database.mode", _RECREATE),
    )
    name: SqlName = Field(
        _APP.postgres_db,
        description="Name of the database. Immutable.",
        json_schema_extra=immutable("database.name", _RECREATE),
    )
    user: SqlName = Field(
        _APP.postgres_user,
        description="Role that owns the database. Immutable.",
        json_schema_extra=immutable("database.user", _RECREATE),
    )
    managed: ManagedDatabase = Field(default_factory=ManagedDatabase, description="The database of mode Managed.")


class ManagedRedis(ApiModel):
    """Redis, run by the operator: a cache without persistence."""

    image: ImageName = Field("", description="Image with Redis or Valkey; empty: the operator's REDIS_IMAGE.")
    resources: Resources = Field(
        resources(cpu=("100m", "500m"), memory=("256Mi", "1Gi")), description="CPU and memory of Redis."
    )
    max_memory_percent: Annotated[int, Field(ge=10, le=90)] = Field(
        75, description="Part of limits.memory that data may fill, in percent."
    )
    eviction_policy: EvictionPolicy = Field(
        EvictionPolicy.ALLKEYS_LRU, description="What Redis forgets when its memory is full."
    )


class Redis(ApiModel):
    """Redis, for the cache and the rate limits. The service works without, slower and unlimited."""

    mode: RedisMode = Field(RedisMode.MANAGED, description="Who runs the cache. Disabled: no cache and no rate limits.")
    managed: ManagedRedis = Field(default_factory=ManagedRedis, description="Redis of mode Managed.")


class Bootstrap(ApiModel):
    """What a new instance begins with."""

    seed_knowledge_base: bool = Field(
        False, description="Load the sample knowledge base once. Delete the seed Job to load it again."
    )


class Spec(ApiModel):
    """The wanted state of one instance."""

    environment: Environment = Field(
        Environment.PRODUCTION,
        description="How strict the service is. Production refuses settings that are unsafe for customers.",
    )
    version: Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9_][-a-zA-Z0-9_.]*$", max_length=128)] = Field(
        "", description="Version of the app; empty: the one that came with the operator."
    )
    image: Image = Field(default_factory=Image, description="The app's image, where it is not the operator's default.")
    image_pull_secrets: Annotated[tuple[PullSecret, ...], Field(max_length=8)] = Field(
        (),
        description="Secrets for private registries, for every pod.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    api: Api = Field(default_factory=Api, description="The agent API.")
    auth: Auth = Field(default_factory=Auth, description="Sign-in of users.")
    privacy: Privacy = Field(default_factory=Privacy, description="Personal data.")
    cache: Cache = Field(default_factory=Cache, description="Answers to repeated questions.")
    llm: LLM = Field(default_factory=LLM, description="The language model and the embedding model.")
    integrations: Integrations = Field(
        default_factory=Integrations, description="Other systems that the service calls."
    )
    workshop: Workshop = Field(default_factory=Workshop, description="When the workshop takes cars in.")
    exposure: Exposure = Field(default_factory=Exposure, description="How the service meets the outside.")
    database: Database = Field(default_factory=Database, description="PostgreSQL with pgvector.")
    redis: Redis = Field(default_factory=Redis, description="The cache and the rate limits.")
    bootstrap: Bootstrap = Field(default_factory=Bootstrap, description="What a new instance begins with.")
    deletion_policy: DeletionPolicy = Field(
        DeletionPolicy.RETAIN,
        description="Whether volume and database credentials stay when the resource is deleted. A new resource of the "
        "same name adopts what stayed.",
    )


class Metadata(ApiModel):
    """What the operator needs of the standard metadata."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0


class GenAIAuto(ApiModel):
    """One instance."""

    metadata: Metadata
    spec: Spec
