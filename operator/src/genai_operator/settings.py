"""The operator's settings; nothing else of the operator reads the environment."""

from importlib.metadata import version
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from genai_contract.endpoints import METRICS_PORT
from genai_operator.naming import OPERATOR_NAMESPACE


def operator_version() -> str:
    """The version of this operator; also the default tag of the app's image."""
    return version("genai-auto-operator")


class OperatorSettings(BaseSettings):
    """Each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    app_image: str = Field(
        default_factory=lambda: f"genai-auto/app:{operator_version()}",
        description="Image of the agent API where a resource names none.",
    )
    database_image: str = Field(
        "pgvector/pgvector:pg{version}",
        description="Image of the database where a resource names none; {version} is the PostgreSQL major.",
    )
    redis_image: str = Field("redis:7-alpine", description="Image of Redis where a resource names none.")
    valkey_image: str = Field("valkey/valkey:8-alpine", description="Image of Valkey where a resource names none.")
    pgadmin_image: str = Field("dpage/pgadmin4:9", description="Image of pgAdmin where a resource names none.")
    kubeconfig: str = Field("", description="Path of the kubeconfig; empty: in the cluster, else ~/.kube/config.")
    kubernetes_service_host: str = Field("", description="Set by Kubernetes in every pod: the API server's address.")
    leader_election: bool = Field(
        False, description="Work only while holding a Lease, so that several operators may run; pods do."
    )
    pod_name: str = Field("", description="Set in a pod: its name, by which the Lease says who works.")
    pod_namespace: str = Field(OPERATOR_NAMESPACE, description="Set in a pod: its namespace, where the Lease is.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe level logged.")
    listen_host: str = Field("0.0.0.0", description="Address of /livez, /readyz and /metrics.")  # noqa: S104 - a pod's own
    listen_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="Port of /livez, /readyz and /metrics; 0 chooses a free one."
    )
    request_seconds: Annotated[float, Field(ge=1, le=300)] = Field(
        30, description="Longest wait for an answer of the API server."
    )
    workers: Annotated[int, Field(ge=1, le=100)] = Field(10, description="Instances reconciled at the same time.")
    resync_seconds: Annotated[float, Field(ge=1)] = Field(
        300, description="Every instance is looked at again at least this often, with jitter."
    )
    discovery_seconds: Annotated[float, Field(ge=0.1, le=30)] = Field(
        15, description="Pause between two looks at which optional kinds the API server has."
    )

    report_seconds: Annotated[float, Field(ge=0.1)] = Field(
        60, description="Pause between two looks at what each instance's API says of models, spending and sizes."
    )
    report_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        METRICS_PORT, description="Port at which pods of the API are asked for that."
    )
    definition_seconds: Annotated[float, Field(ge=0.1)] = Field(
        300, description="Pause between two looks at whether the API server's definition of GenAIAuto is current."
    )

    def images(self) -> dict[str, str]:
        """The images of a resource that names none, by part."""
        return {
            "app": self.app_image,
            "database": self.database_image,
            "redis": self.redis_image,
            "valkey": self.valkey_image,
            "pgadmin": self.pgadmin_image,
        }
