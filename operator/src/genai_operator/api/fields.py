"""The building blocks of the resource models: the frozen base class and the field types with their limits."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
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
_ADDRESS = r"(\[[0-9a-fA-F:.]+\]|[-a-zA-Z0-9._]+)(:[0-9]{1,5})?"
Url = Annotated[
    str, StringConstraints(pattern=rf"^$|^https?://([^\s?#/@\[\]]+@)?{_ADDRESS}(/[^\s?#]*)?$", max_length=1024)
]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name}: write an IANA name such as Europe/Berlin") from None
    return name


TimeZone = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_+/-]+$", min_length=1, max_length=64),
    AfterValidator(_known_zone),
]
"""The API server checks the letters; that there is such a zone, only the operator can tell."""

IntOrPercent = Annotated[
    str,
    BeforeValidator(_number_as_text),
    StringConstraints(pattern=r"^[0-9]{1,3}%?$", max_length=4),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": r"^[0-9]{1,3}%?$", "maxLength": 4}),
]
"""`maxSurge: 1`, `maxSurge: 25%`."""

FreeForm = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})]
"""A part of another kind's schema, which that kind's own validation judges."""

LabelValue = Annotated[str, StringConstraints(pattern=r"^([a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?)?$", max_length=63)]
LabelName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?$", max_length=317
    ),
]
Labels = Annotated[dict[LabelName, LabelValue], Field(max_length=32)]
AnnotationMap = Annotated[dict[LabelName, Annotated[str, StringConstraints(max_length=4096)]], Field(max_length=64)]


class ResourceList(ApiModel):
    """An amount of CPU and memory; what is absent follows the profile."""

    cpu: Quantity | None = Field(
        None, description="CPU in cores, as integer or string such as 500m. Absent: by profile."
    )
    memory: Quantity | None = Field(
        None, description="Memory in bytes, as integer or string such as 1Gi. Absent: by profile."
    )


class Resources(ApiModel):
    """CPU and memory of each pod of one kind; what is absent follows the profile."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": f"!has(self.requests.{name}) || !has(self.limits.{name}) || "
                    f"quantity(string(self.requests.{name})).compareTo(quantity(string(self.limits.{name}))) <= 0",
                    "message": f"requests.{name} must not exceed limits.{name}",
                }
                for name in ("cpu", "memory")
            ]
        }
    )

    requests: ResourceList = Field(
        default_factory=ResourceList, description="What the scheduler sets aside for each pod."
    )
    limits: ResourceList = Field(default_factory=ResourceList, description="What each pod can use at most.")
