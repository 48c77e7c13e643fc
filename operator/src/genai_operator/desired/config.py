"""The app's settings: the ConfigMap that every app container reads, the secret variables, and the hash of both."""

from collections.abc import Collection
from typing import Any, Final

from genai_contract.config import AppConfig, LLMProvider
from genai_contract.resource import FOLLOWED
from genai_operator import quantities
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.desired.connections import (
    SecretValue,
    authorities,
    authority_file,
    database_connection,
    redis_connection,
)
from genai_operator.desired.context import Context
from genai_operator.desired.objects import config_map, metadata
from genai_operator.desired.pods import secret_variable
from genai_operator.desired.references import extra_secrets, setting_references
from genai_operator.desired.secrets import JWT_KEY
from genai_operator.manifests import Manifest, dig, digest
from genai_operator.naming import Component, Names

_PROVIDERS: Final = {
    Provider.OPENROUTER: LLMProvider.OPENROUTER,
    Provider.OPENAI_COMPATIBLE: LLMProvider.OPENAI_COMPATIBLE,
    Provider.OFFLINE: LLMProvider.OFFLINE,
}
_PUBLIC_SETTINGS: Final = tuple((name, path) for name, path in FOLLOWED.items() if name in AppConfig.model_fields)


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """The settings and the account of the pods, which has no rights."""
    del ctx
    names = Names(app.metadata.name)
    return (
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(app, names.service_account, Component.CONFIG),
            "automountServiceAccountToken": False,
        },
        config_map(app, names.config, Component.CONFIG, app_config(app).environment_variables()),
    )


def app_config(app: GenAIAuto) -> AppConfig:
    """The app's public settings, as the resource implies them."""
    chosen = {name: dig(app.spec.fields, *path.split(".")) for name, path in _PUBLIC_SETTINGS}
    database, redis = database_connection(app), redis_connection(app)
    files = {folder: authority_file(folder, value) for folder, value in authorities(app)}
    variables = {
        **{name: _text(value) for name, value in chosen.items()},
        "max_body_bytes": str(int(quantities.parse(app.spec.exposure.limits.max_body_size))),
        "vector_index": app.spec.database.vector_index.type.value.lower(),
        "llm_provider": _PROVIDERS[app.spec.llm.provider].value,
        "postgres_host": database.host,
        "postgres_port": str(database.port),
        "postgres_db": database.database,
        "postgres_sslmode": database.ssl_mode,
        "postgres_sslrootcert": files.get("database", ""),
        "redis_url": redis.url if redis else "",
        "redis_ca_file": files.get("redis", ""),
    }
    return AppConfig.from_environment_variables({name.upper(): text for name, text in variables.items() if text})


def _text(value: Any) -> str:
    """A field of the resource as the text of a variable; a field without a value (empty) leaves the default."""
    return ",".join(value) if isinstance(value, list) else str(value)


def secret_sources(app: GenAIAuto) -> tuple[tuple[str, str, str], ...]:
    """(setting, Secret, key) of every secret setting of the app, and of the database's user where a Secret says it."""
    names, auth = Names(app.metadata.name), app.spec.auth
    database, redis = database_connection(app), redis_connection(app)
    values = (
        ("postgres_user", database.user),
        ("postgres_password", database.password),
        ("redis_password", redis.password if redis else None),
        ("jwt_secret_key", SecretValue(names.auth, JWT_KEY) if auth.jwt_secret_ref is None else None),
    )
    return (
        *((name, value.secret, value.key) for name, value in values if value is not None),
        *((reference.setting, reference.secret, reference.key) for reference in setting_references(app)),
    )


def secret_variables(app: GenAIAuto, settings: Collection[str]) -> list[Manifest]:
    """Those of the secret `settings` that there are, as environment variables; the names are the contract's fields.

    Whoever needs the database's password needs its user, too.
    """
    wanted = {*settings, *(("postgres_user",) if "postgres_password" in settings else ())}
    return [secret_variable(name.upper(), secret, key) for name, secret, key in secret_sources(app) if name in wanted]


def config_hash(app: GenAIAuto, ctx: Context) -> str:
    """Changes when a setting or the contents of a Secret change: then the app's pods roll."""
    named = {secret for _, secret, _ in secret_sources(app)} | extra_secrets(app)
    named |= {value.secret for _, value in authorities(app)}
    used = {secret: ctx.secrets.get(secret, "") for secret in sorted(named)}
    return digest([app_config(app).environment_variables(), used])
