"""The part `api` of the resource: the pods of the agent API."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig, LogLevel
from genai_operator.api.fields import ApiModel, Resources, resources

_APP: Final = AppConfig()


Origin = Annotated[
    str,
    StringConstraints(
        pattern=r"^\*$|^https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$",
        max_length=300,
    ),
]

Network = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", max_length=50)]


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
