"""The part `redis` of the resource: the cache and the rate limits."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genai_operator.api.fields import ApiModel, ImageName, Resources


class RedisMode(StrEnum):
    """Who runs the cache."""

    MANAGED = "Managed"
    DISABLED = "Disabled"


class EvictionPolicy(StrEnum):
    """What Redis forgets when its memory is full."""

    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_LFU = "volatile-lfu"
    VOLATILE_TTL = "volatile-ttl"


class ManagedRedis(ApiModel):
    """Redis, run by the operator: a cache without persistence."""

    image: ImageName = Field("", description="Image with Redis or Valkey; empty: the operator's REDIS_IMAGE.")
    resources: Resources = Field(default_factory=Resources, description="CPU and memory of Redis.")
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
