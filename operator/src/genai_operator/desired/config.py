"""The app's settings: the ConfigMap that every app container reads, the secret variables, and the hash of both."""

from collections.abc import Collection
from typing import Any, Final

from genai_contract.config import AppConfig, AppSecrets, LLMProvider
from genai_contract.resource import FOLLOWED
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.api.redis import RedisMode
from genai_operator.desired.context import Context
from genai_operator.desired.objects import config_map, metadata
from genai_operator.desired.pods import secret_variable
from genai_operator.desired.secrets import JWT_KEY, PASSWORD_KEY
from genai_operator.manifests import Manifest, dig, digest
from genai_operator.naming import Component, Names

DATABASE_PORT: Final = 5432
REDIS_PORT: Final = 6379

_PROVIDERS: Final = {
    Provider.OPENROUTER: LLMProvider.OPENROUTER,
    Provider.OPENAI_COMPATIBLE: LLMProvider.OPENAI_COMPATIBLE,
    Provider.OFFLINE: LLMProvider.OFFLINE,
}


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
    spec = app.spec.model_dump(mode="json", by_alias=True)
    chosen = {name: dig(spec, *path.split(".")) for name, path in FOLLOWED.items() if name in AppConfig.model_fields}
    names = Names(app.metadata.name)
    variables = {
        **{name: _text(value) for name, value in chosen.items()},
        "llm_provider": _PROVIDERS[app.spec.llm.provider].value,
        "postgres_host": names.database,
        "postgres_port": str(DATABASE_PORT),
        "redis_url": f"redis://{names.redis}:{REDIS_PORT}/0" if app.spec.redis.mode is RedisMode.MANAGED else "",
    }
    return AppConfig.from_environment_variables({name.upper(): text for name, text in variables.items() if text})


def _text(value: Any) -> str:
    """A field of the resource as the text of a variable; a field without a value (empty) leaves the default."""
    return ",".join(value) if isinstance(value, list) else str(value)


def secret_sources(app: GenAIAuto) -> tuple[tuple[str, str, str], ...]:
    """(field of AppSecrets, Secret, key) of every secret setting of the app."""
    names, auth = Names(app.metadata.name), app.spec.auth
    redis = app.spec.redis.mode is RedisMode.MANAGED
    return (
        ("postgres_password", names.database, PASSWORD_KEY),
        *((("redis_password", names.redis, PASSWORD_KEY),) if redis else ()),
        *((("jwt_secret_key", names.auth, JWT_KEY),) if auth.jwt_secret_ref is None else ()),
        *referenced_secrets(app),
    )


def referenced_secrets(app: GenAIAuto) -> tuple[tuple[str, str, str], ...]:
    """The same for the Secrets that the resource names: a person makes them."""
    spec = app.spec.model_dump(mode="json", by_alias=True)
    found = ((name, dig(spec, *path.split("."))) for name, path in FOLLOWED.items() if name in AppSecrets.model_fields)
    return tuple((name, ref["name"], ref["key"]) for name, ref in found if ref is not None)


def secret_variables(app: GenAIAuto, settings: Collection[str]) -> list[Manifest]:
    """Those of the secret `settings` that there are, as environment variables; the names are the contract's fields."""
    unknown = [field for field, _, _ in secret_sources(app) if field not in AppSecrets.model_fields]
    if unknown:
        raise ValueError(f"genai_contract.config.AppSecrets has no field {unknown[0]!r}")
    return [
        secret_variable(field.upper(), secret, key) for field, secret, key in secret_sources(app) if field in settings
    ]


def config_hash(app: GenAIAuto, ctx: Context) -> str:
    """Changes when a setting or the contents of a Secret change: then the app's pods roll."""
    used = {secret: ctx.secrets.get(secret, "") for _, secret, _ in secret_sources(app)}
    return digest([app_config(app).environment_variables(), used])
