"""The settings of one process; the only reader of the environment."""

import os
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Self
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import ValidationError

from genai_app.errors import ConfigurationError
from genai_contract.config import (
    DEFAULT_JWT_SECRETS,
    SHORTEST_JWT_SECRET,
    AppConfig,
    AppSecrets,
    EmbeddingProvider,
    Environment,
    LLMProvider,
)

MOST_FALLBACK_MODELS = 5

DEFAULT_POSTGRES_PASSWORD = "genai_secret"  # noqa: S105 - the published default, named so that Production can refuse it


class Settings(AppConfig, AppSecrets):
    """All settings, public and secret, as plain attributes; frozen. `from_environment` checks them as a whole."""

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        defaults: Mapping[str, str] = MappingProxyType({}),
        overrides: Mapping[str, str] = MappingProxyType({}),
        ignoring: Collection[str] = (),
    ) -> Self:
        """Read `environment` (the process's own when None), without the variables `ignoring`, between the other two.

        An empty variable counts as not set. Raises ConfigurationError with one line that names the variable.
        """
        found = os.environ if environment is None else environment
        kept = {name: value for name, value in found.items() if name not in ignoring}
        values = {
            name.lower(): value for layer in (defaults, kept, overrides) for name, value in layer.items() if value != ""
        }
        try:
            settings = cls.model_validate({name: values[name] for name in cls.model_fields if name in values})
        except ValidationError as error:
            raise ConfigurationError(_one_line(error)) from None
        settings.check()
        return settings

    @property
    def database_dsn(self) -> str:
        """`postgresql://…` for asyncpg, everything percent-encoded."""
        if self.database_url:
            parts = urlsplit(self.database_url)
            return urlunsplit(parts._replace(scheme="postgresql"))
        user, database = quote(self.postgres_user, safe=""), quote(self.postgres_db, safe="")
        password = quote(self.postgres_password.get_secret_value(), safe="")
        if self.postgres_host.startswith("/"):
            socket_folder = quote(self.postgres_host, safe="")
            return f"postgresql://{user}:{password}@/{database}?host={socket_folder}&port={self.postgres_port}"
        host = f"[{self.postgres_host}]" if ":" in self.postgres_host else self.postgres_host
        return f"postgresql://{user}:{password}@{host}:{self.postgres_port}/{database}"

    @property
    def redis_dsn(self) -> str:
        """The Redis URL with its password; empty when there is no Redis."""
        password = self.redis_password.get_secret_value()
        parts = urlsplit(self.redis_url)
        if not self.redis_url or not password or parts.password:
            return self.redis_url
        user = quote(unquote(parts.username or ""), safe="")
        address = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{address}"))

    @property
    def answering_provider(self) -> LLMProvider:
        """Who answers: never `auto`."""
        if self.llm_provider is not LLMProvider.AUTO:
            return self.llm_provider
        return LLMProvider.OPENROUTER if self.openrouter_api_key.get_secret_value() else LLMProvider.OFFLINE

    @property
    def vector_provider(self) -> EmbeddingProvider:
        """Who turns text into vectors: never `auto`."""
        if self.embedding_provider is not EmbeddingProvider.AUTO:
            return self.embedding_provider
        offline = self.answering_provider is LLMProvider.OFFLINE
        return EmbeddingProvider.PACKAGED if offline else EmbeddingProvider.API

    @property
    def fallback_models(self) -> tuple[str, ...]:
        """LLM_FALLBACK_MODELS, in order."""
        return tuple(name.strip() for name in self.llm_fallback_models.split(",") if name.strip())

    def check(self) -> None:
        """Rules over several variables. Raises ConfigurationError."""
        if len(self.fallback_models) > MOST_FALLBACK_MODELS:
            raise ConfigurationError(f"LLM_FALLBACK_MODELS names more than {MOST_FALLBACK_MODELS} models")
        if self.database_url and urlsplit(self.database_url).scheme not in _DATABASE_SCHEMES:
            raise ConfigurationError(
                "DATABASE_URL must begin with postgresql:// or postgresql+asyncpg:// (PostgreSQL with pgvector)"
            )
        if self.redis_url and urlsplit(self.redis_url).scheme not in {"redis", "rediss", "unix"}:
            raise ConfigurationError("REDIS_URL must begin with redis://, rediss:// or unix:// (empty: no Redis)")
        if self.answering_provider is LLMProvider.OPENROUTER and not self.openrouter_api_key.get_secret_value():
            raise ConfigurationError(
                "OPENROUTER_API_KEY is empty but LLM_PROVIDER is openrouter: set the key, or LLM_PROVIDER=offline"
            )
        if self.environment is Environment.PRODUCTION:
            self._refuse_published_secrets()

    def _refuse_published_secrets(self) -> None:
        for variable, secret in (
            ("JWT_SECRET_KEY", self.jwt_secret_key.get_secret_value()),
            ("JWT_PREVIOUS_SECRET_KEY", self.jwt_previous_secret_key.get_secret_value()),
        ):
            if secret == "" and variable == "JWT_PREVIOUS_SECRET_KEY":
                continue
            if secret in DEFAULT_JWT_SECRETS or len(secret) < SHORTEST_JWT_SECRET:
                raise ConfigurationError(
                    f"{variable} is a published default or shorter than {SHORTEST_JWT_SECRET} characters, which "
                    "Production does not accept: set it to the output of `openssl rand -hex 32`"
                )
        if unquote(urlsplit(self.database_dsn).password or "") == DEFAULT_POSTGRES_PASSWORD:
            raise ConfigurationError(
                "POSTGRES_PASSWORD is the published default, which Production does not accept: "
                "set it to the output of `openssl rand -base64 24` and give the database role the same password"
            )


_DATABASE_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})


def _one_line(error: ValidationError) -> str:
    """`NAME: what is wrong; NAME: …`, without the values: a wrong value may be a secret."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )
