"""The resource `GenAIAuto`: one running instance of the service, as its owner describes it."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from genai_contract.config import Environment
from genai_operator.api.agent_api import Api
from genai_operator.api.customers import Auth, Cache, Privacy
from genai_operator.api.database import Database
from genai_operator.api.exposure import Exposure
from genai_operator.api.fields import ApiModel
from genai_operator.api.images import Image, PullSecret
from genai_operator.api.integrations import Integrations, Workshop
from genai_operator.api.llm import LLM
from genai_operator.api.maintenance import MaintenanceWindow
from genai_operator.api.monitoring import Monitoring
from genai_operator.api.network_policy import NetworkPolicy
from genai_operator.api.pgadmin import PgAdmin
from genai_operator.api.profiles import Profile
from genai_operator.api.redis import Redis


class DeletionPolicy(StrEnum):
    """What becomes of the data when the resource is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class State(StrEnum):
    """Whether pods run."""

    RUNNING = "Running"
    HIBERNATED = "Hibernated"


class Bootstrap(ApiModel):
    """What a new instance begins with."""

    seed_knowledge_base: bool = Field(
        False, description="Load the sample knowledge base once. Delete the seed Job to load it again."
    )


class Spec(ApiModel):
    """The wanted state of one instance."""

    profile: Profile = Field(
        Profile.SMALL,
        description="Sizes for the expected traffic: Small below 100 requests a minute, Medium below 1,000, Large "
        "below 10,000. Custom: like Small, every size your own. Each size can be set by itself; status.effective "
        "shows the outcome.",
    )
    state: State = Field(
        State.RUNNING, description="Hibernated stops every pod and keeps volumes, Secrets and configuration."
    )
    maintenance_windows: Annotated[tuple[MaintenanceWindow, ...], Field(max_length=10)] = Field(
        (),
        description="When pods that serve may be replaced; none: at any time. Outside of them a change waits, "
        "migrations included, while scaling, repairs and pods that do not serve do not.",
    )
    environment: Environment = Field(
        Environment.PRODUCTION,
        description="How strict the service is. Production refuses settings that are unsafe for customers.",
    )
    version: Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9_][-a-zA-Z0-9_.]*$", max_length=128)] = Field(
        "", description="Version of the app; empty: the one that came with the operator."
    )
    image: Image = Field(default_factory=Image, description="The app's image, where it is not the operator's default.")
    image_pull_secrets: Annotated[tuple[PullSecret, ...], Field(max_length=8)] = Field(
        (),
        description="Secrets for private registries, for every pod.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    image_registry: Annotated[
        str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9][-a-zA-Z0-9.]*(:[0-9]{1,5})?(/[-a-z0-9._]+)*$", max_length=253)
    ] = Field(
        "",
        description="Registry (and path) that every image is pulled from in place of its own, such as "
        "registry.example.com/mirror; empty: each image's own.",
    )
    api: Api = Field(default_factory=Api, description="The agent API.")
    auth: Auth = Field(default_factory=Auth, description="Sign-in of users.")
    privacy: Privacy = Field(default_factory=Privacy, description="Personal data.")
    cache: Cache = Field(default_factory=Cache, description="Answers to repeated questions.")
    llm: LLM = Field(default_factory=LLM, description="The language model and the embedding model.")
    integrations: Integrations = Field(
        default_factory=Integrations, description="Other systems that the service calls."
    )
    workshop: Workshop = Field(default_factory=Workshop, description="When the workshop takes cars in.")
    exposure: Exposure = Field(default_factory=Exposure, description="How the service meets the outside.")
    network_policy: NetworkPolicy = Field(
        default_factory=NetworkPolicy, description="Who may talk to the pods, and to whom they may talk."
    )
    database: Database = Field(default_factory=Database, description="PostgreSQL with pgvector.")
    redis: Redis = Field(default_factory=Redis, description="The cache and the rate limits.")
    monitoring: Monitoring = Field(
        default_factory=Monitoring, description="What Prometheus, Alertmanager and Grafana are told."
    )
    pgadmin: PgAdmin = Field(default_factory=PgAdmin, description="A page to look into the database.")
    bootstrap: Bootstrap = Field(default_factory=Bootstrap, description="What a new instance begins with.")
    deletion_policy: DeletionPolicy = Field(
        DeletionPolicy.RETAIN,
        description="Whether volume and database credentials stay when the resource is deleted. A new resource of the "
        "same name adopts what stayed.",
    )

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The same as plain values, by the names that people write."""
        return self.model_dump(mode="json", by_alias=True)


class Metadata(ApiModel):
    """What the operator needs of the standard metadata."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    annotations: dict[str, str] = Field(default_factory=dict)


class GenAIAuto(ApiModel):
    """One instance."""

    metadata: Metadata
    spec: Spec
