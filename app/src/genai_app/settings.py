"""The settings of one process; the only reader of the environment."""

import os
import re
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import ValidationError

from genai_app import production
from genai_app.errors import ConfigurationError
from genai_contract.config import AppConfig, AppSecrets, EmbeddingProvider, Environment, LLMProvider

MOST_FALLBACK_MODELS = 5


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
        """The Redis URL with its password and authorities; empty when there is no Redis."""
        password = self.redis_password.get_secret_value()
        parts = urlsplit(self.redis_url)
        if self.redis_ca_file:
            parts = parts._replace(query=urlencode([*parse_qsl(parts.query), ("ssl_ca_certs", self.redis_ca_file)]))
        if self.redis_url and password and not parts.password:
            user = quote(unquote(parts.username or ""), safe="")
            address = parts.netloc.rpartition("@")[2]
            parts = parts._replace(netloc=f"{user}:{quote(password, safe='')}@{address}")
        return urlunsplit(parts)

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

    @property
    def lowest_level(self) -> str:
        """The least severe level that is logged."""
        return "DEBUG" if self.debug else self.log_level

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Origins exactly as browsers send them, or `*`. Raises ConfigurationError for what can never be one."""
        origins = _entries(self.cors_allowed_origins)
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ConfigurationError(
                    f"CORS_ALLOWED_ORIGINS: {origin!r} is no origin: write scheme and host in lower case, a port if it "
                    "is not the scheme's own, and nothing behind it, such as https://www.example.com"
                )
        return origins

    @property
    def hidden_paths(self) -> tuple[str, ...]:
        """PRIVATE_PATHS. Raises ConfigurationError for what is no path, and for / itself."""
        paths = _entries(self.private_paths)
        for path in paths:
            if not path.startswith("/") or not path.strip("/"):
                raise ConfigurationError(f"PRIVATE_PATHS: {path!r} is no path such as /docs")
        return paths

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of TRUSTED_PROXIES. Raises ConfigurationError."""
        networks = []
        for entry in _entries(self.trusted_proxies):
            try:
                network = ip_network(entry)
            except ValueError:
                raise ConfigurationError(
                    f"TRUSTED_PROXIES: {entry!r} is neither an address nor a network such as 10.42.0.0/16"
                ) from None
            if network.prefixlen == 0:
                raise ConfigurationError(
                    f"TRUSTED_PROXIES: {entry} is everybody, so that all callers could choose their address: "
                    "name your proxies' network"
                )
            networks.append(network)
        return tuple(networks)

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
        if self.redis_ca_file and not self.redis_url.startswith("rediss://"):
            raise ConfigurationError("REDIS_CA_FILE is for REDIS_URL that begins with rediss://")
        if self.answering_provider is LLMProvider.OPENROUTER and not self.openrouter_api_key.get_secret_value():
            raise ConfigurationError(
                "OPENROUTER_API_KEY is empty but LLM_PROVIDER is openrouter: set the key, or LLM_PROVIDER=offline"
            )
        if (desk := self.human_support_webhook.get_secret_value()) and not _WEB_ADDRESS.fullmatch(desk):
            raise ConfigurationError(
                "HUMAN_SUPPORT_WEBHOOK must be an http:// or https:// URL (empty: handoffs wait at the local desk)"
            )
        if self.scheduler_api_url and not _WEB_ADDRESS.fullmatch(self.scheduler_api_url):
            raise ConfigurationError(
                "SCHEDULER_API_URL must be an http:// or https:// URL (empty: appointments in our own database)"
            )
        if self.langchain_tracing_v2 and not self.langchain_api_key.get_secret_value():
            raise ConfigurationError("LANGCHAIN_API_KEY is empty but LANGCHAIN_TRACING_V2 is true: set both or neither")
        _ = self.cors_origins, self.proxy_networks  # both raise what is wrong with them
        if self.environment is Environment.PRODUCTION and (found := production.problems(self)):
            raise ConfigurationError("; ".join(found))


_DATABASE_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _one_line(error: ValidationError) -> str:
    """`NAME: what is wrong; NAME: …`, without the values: a wrong value may be a secret."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )
