"""The building blocks of the resource models: the frozen base class and the field types with their limits."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from genai_operator import quantities

RECREATE = "create a new resource with the wanted value"
"""What to do about a field that cannot change."""


class ApiModel(BaseModel):
    """A part of a resource: frozen, camelCase outside; ignores what a newer CRD may know beyond it."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


def immutable(path: str, hint: str) -> dict[str, Any]:
    """Schema extension of a field that cannot change; `hint` says what to do instead."""
    return {"x-kubernetes-validations": [{"rule": "self == oldSelf", "message": f"{path} is immutable: {hint}"}]}


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_number_as_text),
    StringConstraints(pattern=quantities.PATTERN, max_length=20),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": quantities.PATTERN, "maxLength": 20}),
]
"""`cpu: 1`, `cpu: 500m`, `memory: 1Gi`. The CRD marks it as integer or string."""

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
SecretKey = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
ImageName = Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9][-a-zA-Z0-9._/:@]*$", max_length=512)]
SqlName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$", min_length=1, max_length=63)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Url = Annotated[str, StringConstraints(pattern=r"^$|^https?://[^\s?#]+$", max_length=1024)]


class ResourceList(ApiModel):
    """An amount of CPU and memory."""

    cpu: Quantity = Field(description="CPU in cores, as integer or string such as 500m.")
    memory: Quantity = Field(description="Memory in bytes, as integer or string such as 1Gi.")


class Resources(ApiModel):
    """CPU and memory of each pod of one kind."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": f"quantity(string(self.requests.{name}))"
                    f".compareTo(quantity(string(self.limits.{name}))) <= 0",
                    "message": f"requests.{name} must not exceed limits.{name}: state both",
                }
                for name in ("cpu", "memory")
            ]
        }
    )

    requests: ResourceList = Field(description="What the scheduler sets aside for each pod.")
    limits: ResourceList = Field(description="What each pod can use at most.")


def resources(cpu: tuple[str, str], memory: tuple[str, str]) -> Resources:
    """The default of one kind of pod; each pair is (request, limit)."""
    return Resources(
        requests=ResourceList(cpu=cpu[0], memory=memory[0]), limits=ResourceList(cpu=cpu[1], memory=memory[1])
    )
