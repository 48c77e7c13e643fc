"""The part `redis` of the resource: the cache and the rate limits."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from genai_operator.api.fields import ApiModel, ImageName, Resources
from genai_operator.api.references import AuthoritySecretRef, PasswordSecretRef


class RedisMode(StrEnum):
    """Who runs the cache."""

    MANAGED = "Managed"
    EXTERNAL = "External"
    DISABLED = "Disabled"


class RedisEngine(StrEnum):
    """Which server keeps the cache."""

    REDIS = "Redis"
    VALKEY = "Valkey"


class EvictionPolicy(StrEnum):
    """What Redis forgets when its memory is full."""

    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_LFU = "volatile-lfu"
    VOLATILE_TTL = "volatile-ttl"


class ManagedRedis(ApiModel):
    """Redis, run by the operator: a cache without persistence."""

    image: ImageName = Field(
        "", description="Image with Redis or Valkey; empty: the operator's REDIS_IMAGE or VALKEY_IMAGE."
    )
    resources: Resources = Field(default_factory=Resources, description="CPU and memory of Redis.")
    max_memory_percent: Annotated[int, Field(ge=10, le=90)] = Field(
        75, description="Part of limits.memory that data may fill, in percent."
    )
    eviction_policy: EvictionPolicy = Field(
        EvictionPolicy.ALLKEYS_LRU, description="What Redis forgets when its memory is full."
    )


class ExternalRedis(ApiModel):
    """A Redis that somebody else runs."""

    host: Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$", max_length=253)] = (
        Field("", description="Host name or address; empty: none yet. External needs it.")
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(6379, description="TCP port.")
    user: Annotated[str, StringConstraints(pattern=r"^[-_.a-zA-Z0-9]*$", max_length=128)] = Field(
        "", description="ACL user; empty: the default user."
    )
    tls: bool = Field(True, description="Encrypt, and check the server's certificate.")
    ca_secret_ref: AuthoritySecretRef | None = Field(
        None, description="Certificates of the server's authorities. Absent: the authorities that everybody knows."
    )
    credentials_secret_ref: PasswordSecretRef | None = Field(None, description="The password. Absent: none.")


class Redis(ApiModel):
    """Redis, for the cache and the rate limits. The service works without, slower and unlimited."""

    mode: RedisMode = Field(
        RedisMode.MANAGED,
        description="Who runs the cache: the operator (Managed), somebody else (External). Disabled: no cache and no "
        "rate limits.",
    )
    engine: RedisEngine = Field(RedisEngine.REDIS, description="Which server keeps the cache of mode Managed.")
    managed: ManagedRedis = Field(default_factory=ManagedRedis, description="Redis of mode Managed.")
    external: ExternalRedis = Field(default_factory=ExternalRedis, description="Redis of mode External.")
