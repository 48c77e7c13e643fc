"""The part `api` of the resource: the pods of the agent API."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig, LogLevel
from genai_contract.endpoints import DRAIN_SECONDS
from genai_operator.api.fields import (
    ApiModel,
    FreeForm,
    IntOrPercent,
    Labels,
    LabelValue,
    ObjectName,
    Resources,
    SecretKey,
    Url,
)

_APP: Final = AppConfig()


Origin = Annotated[
    str,
    StringConstraints(
        pattern=r"^\*$|^https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$",
        max_length=300,
    ),
]

Network = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", max_length=50)]


class Switch(StrEnum):
    """Whether something is there; Auto decides by what the rest of the resource and the cluster say."""

    AUTO = "Auto"
    ENABLED = "Enabled"
    DISABLED = "Disabled"


class Engine(StrEnum):
    """Who scales."""

    HPA = "HPA"
    KEDA = "KEDA"


class Spread(StrEnum):
    """How hard the scheduler tries to keep the pods apart."""

    PREFERRED = "Preferred"
    REQUIRED = "Required"
    DISABLED = "Disabled"


Count = Annotated[int, Field(ge=0, le=100)]
Percent = Annotated[int, Field(ge=0, le=100)]


class Autoscaling(ApiModel):
    """How many API pods there are under load."""

    mode: Switch = Field(
        Switch.AUTO, description="Auto is on with the profiles Medium and Large, and off with Small and Custom."
    )
    engine: Engine = Field(
        Engine.HPA,
        description="HPA: the HorizontalPodAutoscaler of Kubernetes. KEDA: a ScaledObject where KEDA is installed, "
        "and an HPA until it is.",
    )
    min_replicas: Count = Field(0, description="Fewest pods; 0: by profile.")
    max_replicas: Count = Field(0, description="Most pods; 0: by profile.")
    target_cpu_percent: Percent = Field(
        70,
        alias="targetCPUPercent",
        description="CPU that is aimed at, in percent of the request; 0: CPU does not count.",
    )
    target_memory_percent: Percent = Field(
        0, description="Memory that is aimed at, in percent of the request; 0: memory does not count."
    )
    target_in_progress_requests: Annotated[int, Field(ge=0, le=10000)] = Field(
        0,
        description="Requests in progress per pod that are aimed at; 0: they do not count. An HPA needs an adapter "
        "for pod metrics, KEDA the address of Prometheus.",
    )
    prometheus_url: Url = Field(
        "",
        alias="prometheusURL",
        description="Address of Prometheus that KEDA asks for requests in progress; empty: none.",
    )
    behavior: FreeForm | None = Field(
        None,
        description="How quickly pods come and go, as in HorizontalPodAutoscaler.spec.behavior. Absent: up by at most "
        "double a minute, down by one pod a minute after five quiet minutes.",
    )


class Rollout(ApiModel):
    """How new pods replace old ones."""

    max_surge: IntOrPercent = Field(
        "1", description="Pods beyond the wanted number meanwhile, as integer or percentage."
    )
    max_unavailable: IntOrPercent = Field(
        "0", description="Pods that may be missing meanwhile, as integer or percentage."
    )
    drain_seconds: Annotated[int, Field(ge=5, le=600)] = Field(
        DRAIN_SECONDS, description="Seconds that requests and WebSockets get to end when their pod stops."
    )


class Toleration(ApiModel):
    """A taint that the pods accept."""

    key: Annotated[
        str,
        StringConstraints(
            pattern=r"^(([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?$",
            max_length=317,
        ),
    ] = Field("", description="Key of the taint; empty: every.")
    operator: Literal["Exists", "Equal"] = Field("Equal", description="How the value is compared.")
    value: LabelValue = Field("", description="Value of the taint; empty: none.")
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        "", description="Effect of the taint; empty: every."
    )


class Scheduling(ApiModel):
    """Which nodes the API pods run on."""

    node_selector: Labels = Field({}, description="Labels that a node must have.")
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=32)] = Field(
        (), description="Taints that the pods accept.", json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    affinity: FreeForm | None = Field(
        None, description="As Pod.spec.affinity. Absent: none beside the spread over nodes and zones."
    )
    topology_spread: Spread = Field(
        Spread.PREFERRED,
        description="Keep the pods on different nodes and in different zones: where it can be done, strictly, or not.",
    )
    priority_class_name: Annotated[
        str, StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
    ] = Field("", description="PriorityClass of the pods; empty: the cluster's default.")


VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=128)]


class KeyRef(ApiModel):
    """A value in a Secret or ConfigMap of the same namespace."""

    name: ObjectName = Field(description="Name of the object. Required: it says where the value is.")
    key: SecretKey = Field(description="Key within it. Required: it says which value.")


class ValueFrom(ApiModel):
    """Where a variable's value comes from."""

    secret_key_ref: KeyRef | None = Field(None, description="A value in a Secret. Absent: not from there.")
    config_map_key_ref: KeyRef | None = Field(None, description="A value in a ConfigMap. Absent: not from there.")


class Variable(ApiModel):
    """An environment variable."""

    name: VariableName = Field(description="Name of the variable. Required: it tells the variables apart.")
    value: Annotated[str, StringConstraints(max_length=4096)] = Field(
        "", description="Value, as plain text; empty: none."
    )
    value_from: ValueFrom | None = Field(None, description="Where the value comes from. Absent: it is `value`.")


class SourceRef(ApiModel):
    """A Secret or ConfigMap of the same namespace."""

    name: ObjectName = Field(description="Name of the object. Required: it says which.")


class VariableSource(ApiModel):
    """Every key of a Secret or ConfigMap as a variable."""

    prefix: Annotated[str, StringConstraints(pattern=r"^$|^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)] = Field(
        "", description="Put before every name; empty: nothing."
    )
    secret_ref: SourceRef | None = Field(None, description="The Secret. Absent: none.")
    config_map_ref: SourceRef | None = Field(None, description="The ConfigMap. Absent: none.")


class Api(ApiModel):
    """The agent API."""

    replicas: Count = Field(
        1,
        description="Pods that serve while autoscaling is off; `kubectl scale` writes here. 0 stops serving and keeps "
        "all data.",
    )
    resources: Resources = Field(default_factory=Resources, description="CPU and memory of each API pod.")
    autoscaling: Autoscaling = Field(default_factory=Autoscaling, description="How many API pods there are under load.")
    pod_disruption_budget: Switch = Field(
        Switch.AUTO,
        description="Let the eviction of nodes take one API pod at a time. Auto: when there are two or more.",
    )
    rollout: Rollout = Field(default_factory=Rollout, description="How new pods replace old ones.")
    scheduling: Scheduling = Field(default_factory=Scheduling, description="Which nodes the API pods run on.")
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
    extra_env: Annotated[tuple[Variable, ...], Field(max_length=64)] = Field(
        (),
        description="Environment variables for the app's pods beside those that the operator sets; they win. "
        "Production refuses an inline value for a name that ends in KEY, PASSWORD, SECRET or TOKEN.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    extra_env_from: Annotated[tuple[VariableSource, ...], Field(max_length=16)] = Field(
        (),
        description="Secrets and ConfigMaps whose keys become environment variables of the app's pods.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    pod_template: FreeForm | None = Field(
        None,
        description="A strategic merge patch for the API's pod template: sidecars, volumes, what has no field of its "
        "own. Absent: nothing is changed.",
    )
