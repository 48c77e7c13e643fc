"""The part `exposure` of the resource: how the service meets the outside."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig
from genai_contract.endpoints import PRIVATE_PATHS
from genai_operator.api.fields import AnnotationMap, ApiModel, ObjectName, Quantity

_APP: Final = AppConfig()


class ExposureType(StrEnum):
    """How requests come in from outside the cluster."""

    NONE = "None"
    INGRESS = "Ingress"
    GATEWAY = "Gateway"


class TLSMode(StrEnum):
    """Where the certificate comes from."""

    CERT_MANAGER = "CertManager"
    SECRET = "Secret"  # noqa: S105 - a mode, not a password
    SELF_SIGNED = "SelfSigned"
    NONE = "None"


class Controller(StrEnum):
    """Ingress controllers whose annotations we know."""

    GENERIC = "Generic"
    TRAEFIK = "Traefik"
    HAPROXY = "HAProxy"
    F5_NGINX = "F5Nginx"


class IssuerRef(ApiModel):
    """An issuer of cert-manager."""

    name: ObjectName = Field(description="Name of the issuer. Required: it says who issues.")
    kind: Literal["Issuer", "ClusterIssuer"] = Field(
        "ClusterIssuer", description="Whether it is of this namespace or of the cluster."
    )


class TLS(ApiModel):
    """Encryption between clients and the ingress."""

    mode: TLSMode = Field(
        TLSMode.SELF_SIGNED,
        description="CertManager: a Certificate of cert-manager. Secret: one that a person makes. SelfSigned: made and "
        "renewed by the operator, for trials. None: plain HTTP, which Production refuses. With a Gateway the "
        "certificate is the listener's: Secret and None make nothing.",
    )
    issuer_ref: IssuerRef | None = Field(None, description="Issuer for CertManager. Absent: none.")
    secret_name: Annotated[str, StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)] = (
        Field("", description="Secret with tls.crt and tls.key; empty: <name>-tls.")
    )


class IngressExposure(ApiModel):
    """The Ingress of type Ingress."""

    class_name: Annotated[str, StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)] = (
        Field("", description="IngressClass; empty: the cluster's default.")
    )
    controller: Controller = Field(
        Controller.GENERIC,
        description="Whose annotations for timeouts, body size and redirects are added; Generic adds none.",
    )
    annotations: AnnotationMap = Field({}, description="Annotations of your own; they win over the controller's.")


class ParentRef(ApiModel):
    """A listener of a Gateway."""

    name: ObjectName = Field(description="Name of the Gateway. Required: it says which.")
    namespace: Annotated[str, StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)] = Field(
        "", description="Namespace of the Gateway; empty: the own."
    )
    section_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)] = (
        Field("https", description="Listener for HTTPS.")
    )


class GatewayExposure(ApiModel):
    """The HTTPRoutes of type Gateway."""

    parent_refs: Annotated[tuple[ParentRef, ...], Field(max_length=8)] = Field(
        (),
        description="Gateways that route here; type Gateway needs one.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    https_redirect: bool = Field(True, description="Answer HTTP with a redirect to HTTPS.")
    http_section_name: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
    ] = Field("http", description="Listener for HTTP, from which is redirected.")


HostName = Annotated[
    str,
    StringConstraints(pattern=r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=253),
]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[-A-Za-z0-9_.][-A-Za-z0-9_./]*$", max_length=253)]


class Limits(ApiModel):
    """How many requests the API takes, how large they are and how long they may last."""

    enabled: bool = Field(
        _APP.rate_limit_enabled,
        description="Limit how many requests there are: per user, and per address before login. More get 429 with "
        "Retry-After.",
    )
    api_rps: Annotated[int, Field(ge=1, le=10000)] = Field(
        int(_APP.rate_limit_per_second),
        alias="apiRPS",
        description="Requests of one user in a second, in the long run.",
    )
    api_burst: Annotated[int, Field(ge=1, le=10000)] = Field(
        _APP.rate_limit_burst, description="Requests of one user at once."
    )
    auth_rps: Annotated[int, Field(ge=1, le=10000)] = Field(
        int(_APP.rate_limit_auth_per_second),
        alias="authRPS",
        description="Requests for login and registration from one address in a second, in the long run.",
    )
    auth_burst: Annotated[int, Field(ge=1, le=10000)] = Field(
        _APP.rate_limit_auth_burst, description="Requests for login and registration from one address at once."
    )
    max_body_size: Quantity = Field(
        "50Mi",
        description="Largest body of a request, as integer or string such as 50Mi; a larger one gets 413. Single "
        "routes take less.",
    )
    api_timeout_seconds: Annotated[int, Field(ge=5, le=3600)] = Field(
        120, description="Seconds that an ingress waits for an answer."
    )
    websocket_idle_seconds: Annotated[int, Field(ge=30, le=86400)] = Field(
        3600, description="Seconds that an ingress keeps a WebSocket on which nothing is sent."
    )


class Exposure(ApiModel):
    """How the service meets the outside."""

    type: ExposureType = Field(ExposureType.NONE, description="How requests come in from outside the cluster.")
    host: HostName = Field("", description="Name that clients use, such as cars.example.com; empty: none yet.")
    tls: TLS = Field(default_factory=TLS, description="Encryption between clients and the ingress.")
    ingress: IngressExposure = Field(default_factory=IngressExposure, description="The Ingress of type Ingress.")
    gateway: GatewayExposure = Field(default_factory=GatewayExposure, description="The HTTPRoutes of type Gateway.")
    limits: Limits = Field(
        default_factory=Limits,
        description="How many requests the API takes, how large they are and how long they may last.",
    )
    private_paths: Annotated[tuple[UrlPath, ...], Field(max_length=16)] = Field(
        tuple(sorted(PRIVATE_PATHS)),
        description="Paths that nobody reaches from outside, with all below them: the edge leads them nowhere, and the "
        "API answers 404 to whatever came through a proxy.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
