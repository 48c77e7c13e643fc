"""Where the app finds its database and its cache, whoever runs them, and in which Secrets their passwords are."""

from dataclasses import dataclass
from typing import Final

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.redis import RedisMode
from genai_operator.naming import Names

DATABASE_PORT: Final = 5432
REDIS_PORT: Final = 6379
USERNAME_KEY: Final = "username"
PASSWORD_KEY: Final = "password"  # noqa: S105 - the name of a key, not a password
AUTHORITIES: Final = "/run/secrets/genai-auto-authorities"
"""Where pods of the app find the certificates of authorities, one folder each."""


@dataclass(frozen=True)
class SecretValue:
    """One value in a Secret."""

    secret: str
    key: str


@dataclass(frozen=True)
class DatabaseConnection:
    """How to reach the database. `user`: None when the resource says it itself; `authority`: None: everybody's."""

    host: str
    port: int
    database: str
    ssl_mode: str
    password: SecretValue
    user: SecretValue | None = None
    authority: SecretValue | None = None


@dataclass(frozen=True)
class RedisConnection:
    """How to reach the cache; `password` None: it asks for none."""

    url: str
    password: SecretValue | None
    authority: SecretValue | None = None


def database_connection(app: GenAIAuto) -> DatabaseConnection:
    """The database, by mode."""
    names, spec = Names(app.metadata.name), app.spec.database
    if spec.mode is DatabaseMode.EXTERNAL:
        there, login = spec.external, spec.external.credentials_secret_ref
        if login is None:
            raise ValueError("database.external has no credentialsSecretRef: the rules refuse that")
        ca = there.ca_secret_ref
        return DatabaseConnection(
            there.host,
            there.port,
            there.database or spec.name,
            there.ssl_mode,
            SecretValue(login.name, login.password_key),
            SecretValue(login.name, login.username_key),
            SecretValue(ca.name, ca.key) if ca else None,
        )
    if spec.mode is DatabaseMode.CLOUD_NATIVE_PG:
        cluster = cluster_name(app)
        login_secret = f"{cluster}-app"
        return DatabaseConnection(
            f"{cluster}-rw",
            DATABASE_PORT,
            spec.name,
            "verify-full",
            SecretValue(login_secret, PASSWORD_KEY),
            SecretValue(login_secret, USERNAME_KEY),
            SecretValue(f"{cluster}-ca", "ca.crt"),
        )
    return DatabaseConnection(
        names.database, DATABASE_PORT, spec.name, "prefer", SecretValue(names.database, PASSWORD_KEY)
    )


def cluster_name(app: GenAIAuto) -> str:
    """The Cluster of CloudNativePG: somebody else's, or ours."""
    ref = app.spec.database.cloud_native_pg.cluster_ref
    return ref.name if ref is not None else Names(app.metadata.name).database


def redis_connection(app: GenAIAuto) -> RedisConnection | None:
    """The cache, by mode; None when it is disabled."""
    names, spec = Names(app.metadata.name), app.spec.redis
    if spec.mode is RedisMode.DISABLED:
        return None
    if spec.mode is RedisMode.MANAGED:
        return RedisConnection(f"redis://{names.redis}:{REDIS_PORT}/0", SecretValue(names.redis, PASSWORD_KEY))
    there = spec.external
    user = f"{there.user}@" if there.user else ""
    login, ca = there.credentials_secret_ref, there.ca_secret_ref if there.tls else None
    return RedisConnection(
        f"redis{'s' * there.tls}://{user}{there.host}:{there.port}/0",
        SecretValue(login.name, login.key) if login else None,
        SecretValue(ca.name, ca.key) if ca else None,
    )


def authorities(app: GenAIAuto) -> tuple[tuple[str, SecretValue], ...]:
    """(folder below AUTHORITIES, certificates) of every authority that pods of the app must know."""
    redis = redis_connection(app)
    found = (("database", database_connection(app).authority), ("redis", redis.authority if redis else None))
    return tuple((name, value) for name, value in found if value is not None)


def authority_file(folder: str, value: SecretValue) -> str:
    """The path of the certificates within the pod."""
    return f"{AUTHORITIES}/{folder}/{value.key}"
