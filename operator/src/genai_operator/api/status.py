"""The status of a `GenAIAuto`, as the CRD describes it; the operator writes it and never reads decisions from it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from genai_operator.api.database import DatabaseMode
from genai_operator.api.fields import ApiModel
from genai_operator.api.profiles import Profile
from genai_operator.api.redis import RedisMode

Short = Annotated[str, StringConstraints(max_length=1024)]


class Phase(StrEnum):
    """The conditions in one word, for people."""

    INVALID = "Invalid"
    PROGRESSING = "Progressing"
    READY = "Ready"
    DEGRADED = "Degraded"
    STOPPED = "Stopped"
    HIBERNATED = "Hibernated"
    DISABLED = "Disabled"


class Condition(ApiModel):
    """One aspect of the instance."""

    type: Annotated[str, StringConstraints(max_length=316)] = Field(description="Name of the aspect.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: Annotated[str, StringConstraints(max_length=1024)] = Field(description="Why, in one word for programs.")
    message: Annotated[str, StringConstraints(max_length=32768)] = Field(description="Why, and what to do next.")
    observed_generation: int = Field(description="Generation of the resource that this was decided for.")
    last_transition_time: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="When status changed last.", json_schema_extra={"format": "date-time"}
    )


class ApiStatus(ApiModel):
    """The agent API as it runs."""

    replicas: int = Field(description="Pods of the API.")
    ready: Short = Field(description="Ready and wanted pods, such as 2/3.")
    selector: Short = Field(description="Label selector of the pods, for autoscalers.")
    requested: int = Field(description="api.replicas when the operator looked last; it counts without autoscaling.")


class LLMStatus(ApiModel):
    """Who answers."""

    model: Short = Field(description="Model that answers; `offline` when answers are extracted without one.")
    spent_this_hour: Short = Field(
        "", alias="spentThisHourUSD", description="Spent on models in this hour; empty: not reported."
    )
    spent_this_month: Short = Field(
        "", alias="spentThisMonthUSD", description="Spent on models in this month, at most 5 minutes old."
    )


class DatabaseStatus(ApiModel):
    """Where the data is."""

    mode: DatabaseMode = Field(description="Who runs the database.")
    address: Short = Field(description="Host, port and name of the database.")
    storage: Short = Field(description="Size of its volume; empty when somebody else runs it, or before it is there.")


class RedisStatus(ApiModel):
    """Where the cache is."""

    mode: RedisMode = Field(description="Who runs Redis.")
    address: Short = Field(description="Host and port; empty without a cache.")


class AmountStatus(ApiModel):
    """CPU and memory."""

    cpu: Short = Field(description="CPU in cores.")
    memory: Short = Field(description="Memory in bytes.")


class SizeStatus(ApiModel):
    """CPU and memory of one pod."""

    requests: AmountStatus = Field(description="What the scheduler sets aside.")
    limits: AmountStatus = Field(description="What it can use at most.")


class PartStatus(ApiModel):
    """One kind of pod, as profile and specification make it."""

    image: Short = Field(description="Image that it runs; empty when somebody else runs it.")
    resources: SizeStatus = Field(description="CPU and memory of one pod.")


class EffectiveStatus(ApiModel):
    """What profile and specification come to together."""

    profile: Profile = Field(description="Profile that fills in what the specification leaves open.")
    autoscaler: Literal["None", "HPA", "KEDA"] = Field(description="Who decides the number of API pods by load.")
    min_replicas: int = Field(description="Fewest API pods.")
    max_replicas: int = Field(description="Most API pods.")
    api: PartStatus = Field(description="The agent API.")
    database: PartStatus = Field(description="The database.")
    redis: PartStatus = Field(description="Redis.")


class Status(ApiModel):
    """What the operator observed."""

    observed_generation: int = Field(description="Generation of the resource that this status describes.")
    phase: Phase = Field(description="The conditions in one word, for people.")
    message: Annotated[str, StringConstraints(max_length=32768)] = Field(
        description="What it waits for, or what to do."
    )
    url: Short = Field(description="Where clients find the service: from outside where it is exposed.")
    version: Short = Field(description="Version of the app that serves; empty before the first.")
    api: ApiStatus = Field(description="The agent API as it runs.")
    llm: LLMStatus = Field(description="Who answers.")
    database: DatabaseStatus | None = Field(
        None, description="Where the data is. Absent: the specification was never valid."
    )
    redis: RedisStatus | None = Field(
        None, description="Where the cache is. Absent: the specification was never valid."
    )
    effective: EffectiveStatus | None = Field(
        None, description="What profile and specification come to. Absent: the specification was never valid."
    )
    conditions: Annotated[tuple[Condition, ...], Field(max_length=32)] = Field(
        description="Every aspect, always present; Ready sums them up.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
