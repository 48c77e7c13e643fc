"""Every Secret that a resource names and a person makes: for which field, and which of its values."""

from dataclasses import dataclass
from typing import Final

from genai_contract.config import AppSecrets
from genai_contract.resource import FOLLOWED
from genai_operator.api.database import DatabaseMode
from genai_operator.api.exposure import ExposureType, TLSMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.redis import RedisMode
from genai_operator.desired.connections import SecretValue, database_connection, redis_connection
from genai_operator.desired.exposure import tls_secret
from genai_operator.manifests import dig

_SECRET_SETTINGS: Final = tuple((name, path) for name, path in FOLLOWED.items() if name in AppSecrets.model_fields)


@dataclass(frozen=True)
class Reference:
    """A value that is needed. `path`: the field that names it; `setting`: the secret setting of the app that it fills.

    needed: without it the specification is not valid; otherwise only its changes matter.
    key: empty for a Secret as a whole.
    """

    path: str
    secret: str
    key: str
    setting: str = ""
    needed: bool = True


def references(app: GenAIAuto) -> tuple[Reference, ...]:
    """All of them, in a fixed order."""
    return (*_settings(app), *_database(app), *_redis(app), *_certificate(app), *_extra(app))


def setting_references(app: GenAIAuto) -> tuple[Reference, ...]:
    """Those that fill a secret setting which the contract's table follows."""
    return _settings(app)


def extra_secrets(app: GenAIAuto) -> frozenset[str]:
    """Names of the Secrets of `api.extraEnv` and `api.extraEnvFrom`."""
    return frozenset(reference.secret for reference in _extra(app))


def _settings(app: GenAIAuto) -> tuple[Reference, ...]:
    found = ((name, path, dig(app.spec.fields, *path.split("."))) for name, path in _SECRET_SETTINGS)
    return tuple(Reference(path, ref["name"], ref["key"], name) for name, path, ref in found if ref is not None)


def _database(app: GenAIAuto) -> tuple[Reference, ...]:
    """With CloudNativePG its operator makes the Secret, some time after the Cluster."""
    if app.spec.database.mode is DatabaseMode.MANAGED:
        return ()
    there = database_connection(app)
    external = app.spec.database.mode is DatabaseMode.EXTERNAL
    path = "database.external.credentialsSecretRef" if external else "database.cloudNativePG"
    return (
        *_values(path, there.user, there.password, needed=external),
        *_values("database.external.caSecretRef", there.authority, needed=external),
    )


def _redis(app: GenAIAuto) -> tuple[Reference, ...]:
    there = redis_connection(app)
    if there is None or app.spec.redis.mode is not RedisMode.EXTERNAL:
        return ()
    return (
        *_values("redis.external.credentialsSecretRef", there.password, needed=True),
        *_values("redis.external.caSecretRef", there.authority, needed=True),
    )


def _values(path: str, *values: SecretValue | None, needed: bool) -> tuple[Reference, ...]:
    return tuple(Reference(path, value.secret, value.key, needed=needed) for value in values if value is not None)


def _certificate(app: GenAIAuto) -> tuple[Reference, ...]:
    """A missing one makes its condition False; the service goes on within the cluster."""
    exposure = app.spec.exposure
    if exposure.type is ExposureType.NONE or exposure.tls.mode in (TLSMode.NONE, TLSMode.CERT_MANAGER):
        return ()
    return (Reference("exposure.tls.secretName", tls_secret(app), "tls.crt", needed=False),)


def _extra(app: GenAIAuto) -> tuple[Reference, ...]:
    """The kubelet says what is wrong with them; a change rolls the pods."""
    variables = (variable.value_from for variable in app.spec.api.extra_env if variable.value_from is not None)
    keys = (source.secret_key_ref for source in variables if source.secret_key_ref is not None)
    wholes = (source.secret_ref for source in app.spec.api.extra_env_from if source.secret_ref is not None)
    return (
        *(Reference("api.extraEnv", ref.name, ref.key, needed=False) for ref in keys),
        *(Reference("api.extraEnvFrom", ref.name, "", needed=False) for ref in wholes),
    )
