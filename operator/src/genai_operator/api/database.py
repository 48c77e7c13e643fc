"""The part `database` of the resource: PostgreSQL with pgvector."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig
from genai_operator.api.fields import RECREATE, ApiModel, ImageName, ObjectName, Quantity, Resources, SqlName, immutable
from genai_operator.api.references import AuthoritySecretRef, CredentialsSecretRef

_APP: Final = AppConfig()


class DatabaseMode(StrEnum):
    """Who runs the database."""

    MANAGED = "Managed"
    EXTERNAL = "External"
    CLOUD_NATIVE_PG = "CloudNativePG"


class PostgresVersion(StrEnum):
    """PostgreSQL majors that the start script knows."""

    V16 = "16"
    V17 = "17"
    V18 = "18"


class Autogrow(ApiModel):
    """Growth of the volume by itself, where the storage class can grow volumes."""

    enabled: bool = Field(False, description="Whether the volume grows when it fills up.")
    threshold_percent: Annotated[int, Field(ge=50, le=95)] = Field(
        80, description="Share of the volume, in percent, from which on it grows."
    )
    step_percent: Annotated[int, Field(ge=5, le=100)] = Field(
        25, description="How much it grows by, in percent of what it has."
    )
    max_size: Quantity = Field("100Gi", description="Largest size, as integer or string such as 100Gi.")


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


class ManagedStorage(Storage):
    """The volume of a database that the operator runs."""

    autogrow: Autogrow = Field(
        default_factory=Autogrow, description="Growth of the volume by itself, where the storage class can."
    )


Parameters = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_.]*$", max_length=63)],
        Annotated[str, StringConstraints(pattern=r"^[^\n\r]*$", max_length=1024)],
    ],
    Field(max_length=64),
]
RESERVED_PARAMETERS: Final = (
    "listen_addresses", "port", "unix_socket_directories", "hba_file", "ident_file", "data_directory", "config_file",
    "external_pid_file", "ssl", "password_encryption",
)  # fmt: skip
"""What the start script, the Service and the probes rely on."""


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
    storage: ManagedStorage = Field(default_factory=ManagedStorage, description="The volume of the database.")
    parameters: Parameters = Field(
        {},
        description="Settings of postgresql.conf of your own, such as work_mem: 64MB; they win over those that follow "
        "from memory and storage. Addresses, files and logging are the operator's.",
    )


SslMode = Literal["disable", "require", "verify-ca", "verify-full"]
HostOrNone = Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z0-9]([-a-zA-Z0-9.:]*[a-zA-Z0-9])?$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]


class ExternalDatabase(ApiModel):
    """A PostgreSQL with pgvector that somebody else runs."""

    host: HostOrNone = Field("", description="Host name or address; empty: none yet. External needs it.")
    port: Port = Field(5432, description="TCP port.")
    database: Annotated[str, StringConstraints(pattern=r"^$|^[a-zA-Z_][a-zA-Z0-9_$-]*$", max_length=63)] = Field(
        "", description="Name of the database; empty: database.name."
    )
    ssl_mode: SslMode = Field(
        "verify-full", description="How strictly the server's certificate is checked. Production needs a verify mode."
    )
    ca_secret_ref: AuthoritySecretRef | None = Field(
        None, description="Certificates of the server's authorities. Absent: the authorities that everybody knows."
    )
    credentials_secret_ref: CredentialsSecretRef | None = Field(
        None, description="User and password. Absent: none; External needs them."
    )


class ClusterRef(ApiModel):
    """A Cluster of CloudNativePG in the same namespace."""

    name: ObjectName = Field(description="Name of the Cluster. Required: it says which.")


class ClusterCreate(ApiModel):
    """A Cluster of CloudNativePG that the operator makes."""

    instances: Annotated[int, Field(ge=1, le=9)] = Field(
        3, description="PostgreSQL servers: one primary, the others follow."
    )
    image: ImageName = Field("", description="Image with PostgreSQL and pgvector; empty: CloudNativePG's own.")
    resources: Resources = Field(default_factory=Resources, description="CPU and memory of each server.")
    storage: Storage = Field(default_factory=Storage, description="The volume of each server.")


class CloudNativePG(ApiModel):
    """A database that CloudNativePG runs."""

    cluster_ref: ClusterRef | None = Field(
        None,
        description="A Cluster that is there already, with the database and the role of its Secret <name>-app. "
        "Absent: the operator makes one.",
    )
    create: ClusterCreate = Field(default_factory=ClusterCreate, description="The Cluster that the operator makes.")


class MigrationMode(StrEnum):
    """Who brings the schema up to date."""

    AUTO = "Auto"
    MANUAL = "Manual"


class Migrations(ApiModel):
    """How the schema is brought up to date."""

    mode: MigrationMode = Field(
        MigrationMode.AUTO,
        description="Auto: a Job migrates before pods of a new version start. Manual: no Job; pods of a new version "
        "wait, not ready, until somebody has run genai-auto migrate in one of them, and those of the old serve on.",
    )
    timeout_seconds: Annotated[int, Field(ge=30, le=86400)] = Field(
        300, description="Seconds that a migration waits for the database before it is tried again."
    )


class VectorIndexType(StrEnum):
    """Indexes over vectors."""

    HNSW = "HNSW"
    IVFFLAT = "IVFFlat"


class Hnsw(ApiModel):
    """An index of type HNSW."""

    m: Annotated[int, Field(ge=4, le=100)] = Field(
        _APP.vector_index_hnsw_m, description="Neighbours of each vector: more find more, and take more memory."
    )
    ef_construction: Annotated[int, Field(ge=8, le=1000)] = Field(
        _APP.vector_index_hnsw_ef_construction, description="Candidates while it is built, at least twice m."
    )
    ef_search: Annotated[int, Field(ge=20, le=1000)] = Field(
        _APP.hnsw_ef_search, description="Candidates of a search: more find more, and take longer."
    )


class IvfFlat(ApiModel):
    """An index of type IVFFlat. Its lists follow from the number of passages; below 1,000 there is none."""

    probes: Annotated[int, Field(ge=1, le=1000)] = Field(
        _APP.ivfflat_probes, description="Lists that a search reads: more find more, and take longer."
    )


class VectorIndexSpec(ApiModel):
    """The index over the vectors of the knowledge base."""

    type: VectorIndexType = Field(
        VectorIndexType.HNSW,
        description="HNSW finds the most; IVFFlat is built faster and takes less memory. A change builds the new index "
        "beside the old one.",
    )
    hnsw: Hnsw = Field(default_factory=Hnsw, description="An index of type HNSW.")
    ivfflat: IvfFlat = Field(default_factory=IvfFlat, description="An index of type IVFFlat.")


class Pooling(ApiModel):
    """Connections of the API to the database."""

    connections: Annotated[int, Field(ge=1, le=100)] = Field(
        _APP.database_pool_size, description="Most connections of each API pod."
    )


class Database(ApiModel):
    """The database."""

    mode: DatabaseMode = Field(
        DatabaseMode.MANAGED,
        description="Who runs the database: the operator (Managed), somebody else (External), or CloudNativePG, whose "
        "operator must be installed. Immutable.",
        json_schema_extra=immutable("database.mode", RECREATE),
    )
    name: SqlName = Field(
        _APP.postgres_db,
        description="Name of the database. Immutable.",
        json_schema_extra=immutable("database.name", RECREATE),
    )
    user: SqlName = Field(
        _APP.postgres_user,
        description="Role that owns the database; with External the one in its Secret. Immutable.",
        json_schema_extra=immutable("database.user", RECREATE),
    )
    managed: ManagedDatabase = Field(default_factory=ManagedDatabase, description="The database of mode Managed.")
    external: ExternalDatabase = Field(default_factory=ExternalDatabase, description="The database of mode External.")
    cloud_native_pg: CloudNativePG = Field(
        default_factory=CloudNativePG, alias="cloudNativePG", description="The database of mode CloudNativePG."
    )
    vector_index: VectorIndexSpec = Field(
        default_factory=VectorIndexSpec, description="The index over the vectors of the knowledge base."
    )
    migrations: Migrations = Field(default_factory=Migrations, description="How the schema is brought up to date.")
    pooling: Pooling = Field(default_factory=Pooling, description="Connections of the API to the database.")
