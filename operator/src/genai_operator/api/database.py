"""The part `database` of the resource: PostgreSQL with pgvector."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig
from genai_operator.api.fields import RECREATE, ApiModel, ImageName, Quantity, Resources, SqlName, immutable

_APP: Final = AppConfig()


class DatabaseMode(StrEnum):
    """Who runs the database."""

    MANAGED = "Managed"


class PostgresVersion(StrEnum):
    """PostgreSQL majors that the start script knows."""

    V16 = "16"
    V17 = "17"
    V18 = "18"


class Storage(ApiModel):
    """The volume of the database."""

    size: Quantity = Field(
        "10Gi",
        description="Size of the volume, as integer or string such as 10Gi. It can grow (where the storage class can), "
        "never shrink.",
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",
                    "message": "database.managed.storage.size must not shrink (the default is 10Gi): write "
                    "the old size or more",
                }
            ]
        },
    )
    storage_class_name: Annotated[
        str, StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
    ] = Field(
        "",
        description="Storage class; empty: the cluster's default. Immutable.",
        json_schema_extra=immutable("database.managed.storage.storageClassName", RECREATE),
    )


class ManagedDatabase(ApiModel):
    """PostgreSQL with pgvector, run by the operator."""

    version: PostgresVersion = Field(
        PostgresVersion.V17,
        description="PostgreSQL major. Immutable: data files of one major cannot be read by another.",
        json_schema_extra=immutable(
            "database.managed.version",
            "data files of one major cannot be read by another; create a new resource and move the data with pg_dump",
        ),
    )
    image: ImageName = Field(
        "", description="Image with PostgreSQL of that major and pgvector; empty: the operator's DATABASE_IMAGE."
    )
    resources: Resources = Field(
        default_factory=Resources,
        description="CPU and memory of the database. Memory settings of PostgreSQL follow limits.memory.",
    )
    storage: Storage = Field(default_factory=Storage, description="The volume of the database.")


class Database(ApiModel):
    """The database."""

    mode: DatabaseMode = Field(
        DatabaseMode.MANAGED,
        description="Who runs the database. Immutable.",
        json_schema_extra=immutable("database.mode", RECREATE),
    )
    name: SqlName = Field(
        _APP.postgres_db,
        description="Name of the database. Immutable.",
        json_schema_extra=immutable("database.name", RECREATE),
    )
    user: SqlName = Field(
        _APP.postgres_user,
        description="Role that owns the database. Immutable.",
        json_schema_extra=immutable("database.user", RECREATE),
    )
    managed: ManagedDatabase = Field(default_factory=ManagedDatabase, description="The database of mode Managed.")
