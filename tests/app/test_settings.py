"""What the environment may say, and what it is told when it is wrong."""

import asyncio
from urllib.parse import unquote, urlsplit

import asyncpg.connect_utils
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_app.errors import ConfigurationError
from genai_app.settings import Settings
from genai_contract.config import EmbeddingProvider, LLMProvider

GOOD_SECRET = "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
PRODUCTION = {"ENVIRONMENT": "Production", "JWT_SECRET_KEY": GOOD_SECRET, "POSTGRES_PASSWORD": "a-long-random-one"}

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_nothing_set_is_a_complete_development_configuration() -> None:
    settings = Settings.from_environment({})
    assert settings.database_dsn == "postgresql://genai:genai_secret@localhost:5432/genai_auto"
    assert settings.redis_dsn == ""
    assert settings.answering_provider is LLMProvider.OFFLINE
    assert settings.vector_provider is EmbeddingProvider.PACKAGED


@given(user=texts, password=texts, database=texts)
def test_parts_of_the_database_url_may_hold_any_character(user: str, password: str, database: str) -> None:
    settings = Settings.from_environment(
        {"POSTGRES_USER": user, "POSTGRES_PASSWORD": password, "POSTGRES_DB": database, "POSTGRES_HOST": "db"}
    )
    parts = urlsplit(settings.database_dsn)
    assert (unquote(parts.username or ""), unquote(parts.password or ""), unquote(parts.path[1:])) == (
        user, password, database,
    )  # fmt: skip
    assert parts.hostname == "db"


@pytest.mark.parametrize(
    ("url", "dsn"),
    [
        ("postgresql://u:p%40@db:5433/x?sslmode=require", "postgresql://u:p%40@db:5433/x?sslmode=require"),
        ("postgresql+asyncpg://u:p@db/x", "postgresql://u:p@db/x"),
        ("postgres://u:p@db/x", "postgresql://u:p@db/x"),
    ],
)
def test_a_whole_database_url_wins_over_its_parts(url: str, dsn: str) -> None:
    assert Settings.from_environment({"DATABASE_URL": url, "POSTGRES_HOST": "other"}).database_dsn == dsn


@pytest.mark.parametrize("host", ["/run/some where/sockets", "2001:db8::1", "db.example.com"])
def test_hosts_of_every_kind_reach_the_driver(host: str) -> None:
    async def attempt() -> None:
        await asyncpg.connect(Settings.from_environment({"POSTGRES_HOST": host}).database_dsn, timeout=0.2)

    with pytest.raises((OSError, TimeoutError)):
        asyncio.run(attempt())


@given(password=texts)
def test_the_redis_password_is_put_into_its_url(password: str) -> None:
    settings = Settings.from_environment({"REDIS_URL": "redis://cache:6379/1", "REDIS_PASSWORD": password})
    parts = urlsplit(settings.redis_dsn)
    assert (unquote(parts.password or ""), parts.hostname, parts.port, parts.path) == (password, "cache", 6379, "/1")


@pytest.mark.parametrize(
    ("variables", "answers", "vectors"),
    [
        ({"OPENROUTER_API_KEY": "sk-or-v1-x"}, LLMProvider.OPENROUTER, EmbeddingProvider.API),
        ({"LLM_PROVIDER": "openai-compatible"}, LLMProvider.OPENAI_COMPATIBLE, EmbeddingProvider.API),
        (
            {"OPENROUTER_API_KEY": "sk-or-v1-x", "EMBEDDING_PROVIDER": "packaged"},
            LLMProvider.OPENROUTER, EmbeddingProvider.PACKAGED,
        ),
        ({"OPENROUTER_API_KEY": "x", "LLM_PROVIDER": "offline"}, LLMProvider.OFFLINE, EmbeddingProvider.PACKAGED),
        ({"OPENROUTER_API_KEY": ""}, LLMProvider.OFFLINE, EmbeddingProvider.PACKAGED),
    ],
)  # fmt: skip
def test_auto_is_resolved_from_the_key(
    variables: dict[str, str], answers: LLMProvider, vectors: EmbeddingProvider
) -> None:
    settings = Settings.from_environment(variables)
    assert (settings.answering_provider, settings.vector_provider) == (answers, vectors)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"API_PORT": "eighty"}, "API_PORT: "),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL: "),
        ({"DATABASE_URL": "mysql://db/x"}, "DATABASE_URL must begin with postgresql://"),
        ({"REDIS_URL": "http://cache"}, "REDIS_URL must begin with redis://"),
        ({"LLM_PROVIDER": "openrouter"}, "OPENROUTER_API_KEY is empty"),
        ({"JWT_ALGORITHM": "none"}, "JWT_ALGORITHM: "),
        ({"JWT_ALGORITHM": "RS256"}, "JWT_ALGORITHM: "),
        ({"TRUSTED_PROXIES": "10.0.0.0/8, proxy.local"}, "TRUSTED_PROXIES: 'proxy.local' is neither"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES: .* network such as"),
        ({"TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES: "),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES: .* is everybody"),
        ({"TRUSTED_PROXIES": "::/0"}, "TRUSTED_PROXIES: .* is everybody"),
        ({"CORS_ALLOWED_ORIGINS": "www.example.com"}, "CORS_ALLOWED_ORIGINS: 'www.example.com' is no origin"),
        ({"CORS_ALLOWED_ORIGINS": "https://example.com/"}, "CORS_ALLOWED_ORIGINS: "),
        ({"CORS_ALLOWED_ORIGINS": "https://*.example.com"}, "CORS_ALLOWED_ORIGINS: "),
        ({"CORS_ALLOWED_ORIGINS": "https://Example.com"}, "in lower case"),
        ({"CORS_ALLOWED_ORIGINS": "null"}, "CORS_ALLOWED_ORIGINS: "),
        ({"HUMAN_SUPPORT_WEBHOOK": "desk.example.com/hook"}, "HUMAN_SUPPORT_WEBHOOK must be an http:// or https://"),
        ({"HUMAN_SUPPORT_WEBHOOK": "file:///etc/passwd"}, "HUMAN_SUPPORT_WEBHOOK must be an http:// or https://"),
        ({"HUMAN_SUPPORT_WEBHOOK": "https://"}, "HUMAN_SUPPORT_WEBHOOK must be an http:// or https://"),
    ],
)
def test_a_wrong_variable_is_named_in_one_line(variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as refused:
        Settings.from_environment(variables)
    assert "\n" not in str(refused.value)


def test_production_starts_with_secrets_of_its_own() -> None:
    assert Settings.from_environment(PRODUCTION).jwt_secret_key.get_secret_value() == GOOD_SECRET


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"JWT_SECRET_KEY": "change-me-in-production"}, "openssl rand -hex 32"),
        ({"JWT_SECRET_KEY": "change-me-in-production-use-openssl-rand-hex-32"}, "openssl rand -hex 32"),
        ({"JWT_SECRET_KEY": "x" * 31}, "JWT_SECRET_KEY is .*openssl rand -hex 32"),
        ({"JWT_SECRET_KEY": ""}, "JWT_SECRET_KEY is .*openssl rand -hex 32"),
        ({"JWT_PREVIOUS_SECRET_KEY": "short"}, "JWT_PREVIOUS_SECRET_KEY is .*openssl rand -hex 32"),
        ({"POSTGRES_PASSWORD": ""}, "POSTGRES_PASSWORD"),
        ({"DATABASE_URL": "postgresql://genai:genai_secret@db/genai_auto"}, "POSTGRES_PASSWORD"),
        ({"JWT_SECRET_KEY": "ab" * 32}, "JWT_SECRET_KEY repeats a few characters"),
        ({"JWT_SECRET_KEY": "please-change-me-before-going-live-0123456789"}, "JWT_SECRET_KEY is a published"),
        ({"JWT_SECRET_KEY": "<RUN: openssl rand -hex 32> and put it here"}, "JWT_SECRET_KEY is a published"),
        ({"POSTGRES_PASSWORD": "<STRONG_RANDOM_PASSWORD>"}, "POSTGRES_PASSWORD is the published"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS is \\*"),
        ({"CORS_ALLOWED_ORIGINS": "https://example.com, *"}, "CORS_ALLOWED_ORIGINS is \\*"),
        ({"MASK_PII": "false"}, "MASK_PII is false"),
        ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL is DEBUG"),
        ({"DEBUG": "true"}, "DEBUG is true"),
    ],
)
def test_production_refuses_what_is_published_short_or_open(change: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Settings.from_environment({**PRODUCTION, **change})


def test_production_says_everything_that_is_wrong_at_once_and_no_secret() -> None:
    secret = "short-and-secret"
    wrong = {"JWT_SECRET_KEY": secret, "MASK_PII": "false", "CORS_ALLOWED_ORIGINS": "*"}
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment({**PRODUCTION, **wrong})
    said = str(refused.value)
    assert [variable for variable in wrong if variable not in said] == []
    assert secret not in said
    assert "\n" not in said


@pytest.mark.parametrize("environment", ["Development", "Staging"])
def test_elsewhere_the_published_defaults_do(environment: str) -> None:
    settings = Settings.from_environment({"ENVIRONMENT": environment, "CORS_ALLOWED_ORIGINS": "*", "DEBUG": "true"})
    assert (settings.cors_origins, settings.lowest_level) == (("*",), "DEBUG")


def test_secrets_are_in_no_representation_and_in_no_message() -> None:
    secret = "very-secret-value"
    settings = Settings.from_environment({"JWT_SECRET_KEY": secret, "POSTGRES_PASSWORD": secret})
    assert secret not in repr(settings)
    assert secret not in settings.model_dump_json()
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment({"API_PORT": secret})
    assert secret not in str(refused.value)
