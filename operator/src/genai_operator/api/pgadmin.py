"""The part `pgadmin` of the resource: a page to look into the database."""

from typing import Annotated

from pydantic import Field, StringConstraints

from genai_operator.api.fields import ApiModel, ImageName, Resources


class PgAdmin(ApiModel):
    """pgAdmin, within the cluster: kubectl port-forward leads to it."""

    enabled: bool = Field(False, description="Run pgAdmin beside the database. Production refuses it.")
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s-][^@\s]*@[^@\s]+\.[^@\s]+$", max_length=254)] = Field(
        "admin@example.com", description="Address to log in with; the password is in the Secret <name>-pgadmin."
    )
    image: ImageName = Field("", description="Image of pgAdmin; empty: the operator's PGADMIN_IMAGE.")
    resources: Resources = Field(default_factory=Resources, description="CPU and memory of pgAdmin.")
