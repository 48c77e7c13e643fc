"""The part `networkPolicy` of the resource: who may talk to whom."""

from typing import Annotated

from pydantic import Field, StringConstraints

from genai_operator.api.fields import ApiModel, FreeForm, Labels

Cidr = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", max_length=50)]
Port = Annotated[int, Field(ge=1, le=65535)]


class ModelEgress(ApiModel):
    """Where the language model, LangSmith, the webhook and the scheduling system are."""

    cidrs: Annotated[tuple[Cidr, ...], Field(max_length=64)] = Field(
        (),
        description="Networks such as 203.0.113.0/24; none: everywhere but private networks.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    ports: Annotated[tuple[Port, ...], Field(max_length=16)] = Field(
        (443,), description="TCP ports.", json_schema_extra={"x-kubernetes-list-type": "set"}
    )


class NetworkPolicy(ApiModel):
    """Who may talk to the pods of the instance, and to whom they may talk."""

    enabled: bool = Field(True, description="Let nothing in or out but what the instance needs.")
    client_namespaces: Labels = Field(
        {}, description="Labels of the namespaces whose pods may call the API; none: whoever reaches it."
    )
    monitoring_namespaces: Labels = Field(
        {"kubernetes.io/metadata.name": "monitoring"},
        description="Labels of the namespaces whose pods may scrape metrics, beside the own.",
    )
    llm_egress: ModelEgress = Field(
        default_factory=ModelEgress,
        description="Where the language model, LangSmith, the webhook and the scheduling system are.",
    )
    extra_egress: Annotated[tuple[FreeForm, ...], Field(max_length=32)] = Field(
        (),
        description="More that the API may reach, as in NetworkPolicy.spec.egress.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
