"""The app's settings: the ConfigMap that every app container reads, the secret variables, and the hash of both."""

from typing import Final

from genai_contract.config import AppConfig, AppSecrets, LLMProvider
from genai_operator.api.genaiauto import GenAIAuto, Provider, RedisMode
from genai_operator.desired.context import Context
from genai_operator.desired.objects import config_map, metadata
from genai_operator.desired.pods import secret_variable
from genai_operator.desired.secrets import JWT_KEY, PASSWORD_KEY
from genai_operator.manifests import Manifest, digest
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
    names, spec = Names(app.metadata.name), app.spec
    defaults = AppConfig()
    return AppConfig(
        environment=spec.environment,
        log_level=spec.api.log_level,
        postgres_host=names.database,
        postgres_port=DATABASE_PORT,
        postgres_db=spec.database.name,
        postgres_user=spec.database.user,
        redis_url=f"redis://{names.redis}:{REDIS_PORT}/0" if spec.redis.mode is RedisMode.MANAGED else "",
        llm_provider=_PROVIDERS[spec.llm.provider],
        openrouter_base_url=spec.llm.base_url or defaults.openrouter_base_url,
        llm_model=spec.llm.model,
        embedding_model=spec.llm.embedding_model,
        embedding_dimension=spec.llm.embedding_dimensions,
        jwt_access_expire_minutes=spec.auth.access_expire_minutes,
        jwt_refresh_expire_days=spec.auth.refresh_expire_days,
    )


def secret_sources(app: GenAIAuto) -> tuple[tuple[str, str, str], ...]:
    """(field of AppSecrets, Secret, key) of every secret setting of the app."""
    names, spec = Names(app.metadata.name), app.spec
    jwt, llm = spec.auth.jwt_secret_ref, spec.llm.api_key_secret_ref
    return (
        ("postgres_password", names.database, PASSWORD_KEY),
        *((("redis_password", names.redis, PASSWORD_KEY),) if spec.redis.mode is RedisMode.MANAGED else ()),
        ("jwt_secret_key", jwt.name if jwt else names.auth, jwt.key if jwt else JWT_KEY),
        *((("openrouter_api_key", llm.name, llm.key),) if llm else ()),
    )


def secret_variables(app: GenAIAuto) -> list[Manifest]:
    """The secret settings as environment variables; their names are those of the contract's fields."""
    unknown = [field for field, _, _ in secret_sources(app) if field not in AppSecrets.model_fields]
    if unknown:
        raise ValueError(f"genai_contract.config.AppSecrets has no field {unknown[0]!r}")
    return [secret_variable(field.upper(), secret, key) for field, secret, key in secret_sources(app)]


def config_hash(app: GenAIAuto, ctx: Context) -> str:
    """Changes when a setting or the contents of a Secret change: then the app's pods roll."""
    used = {secret: ctx.secrets.get(secret, "") for _, secret, _ in secret_sources(app)}
    return digest([app_config(app).environment_variables(), used])
