"""The image of the app, and the Secrets for private registries."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from genai_operator.api.fields import ApiModel, ImageName, ObjectName


class PullPolicy(StrEnum):
    """When the node pulls the app's image."""

    IF_NOT_PRESENT = "IfNotPresent"
    ALWAYS = "Always"
    NEVER = "Never"


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
