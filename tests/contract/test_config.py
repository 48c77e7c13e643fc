"""The settings that the operator writes are the settings that the app reads."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genai_contract.config import SECRET_VARIABLES, AppConfig, AppSecrets, Environment, LLMProvider

WORDS = st.text(string.ascii_letters + string.digits + "-_./: é", max_size=40)
OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "environment": st.sampled_from(Environment),
        "llm_provider": st.sampled_from(LLMProvider),
        "llm_model": WORDS,
        "postgres_host": WORDS,
        "api_port": st.integers(1, 65535),
        "cache_enabled": st.booleans(),
        "cache_ttl": st.integers(1, 10**6),
        "llm_timeout_seconds": st.floats(0.1, 600),
    },
)


@given(OVERRIDES)
def test_reading_back_what_was_written_gives_an_equal_configuration(overrides: dict[str, Any]) -> None:
    config = AppConfig(**overrides)
    assert AppConfig.from_environment_variables(config.environment_variables()) == config


def test_defaults_need_no_variables() -> None:
    assert AppConfig().environment_variables() == {}


def test_variables_of_other_programs_are_ignored() -> None:
    assert AppConfig.from_environment_variables({"HOME": "/root", "PATH": "/bin"}) == AppConfig()


@pytest.mark.parametrize(("name", "value"), [("API_PORT", "seventy"), ("CACHE_TTL", "0"), ("ENVIRONMENT", "Prod")])
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AppConfig.from_environment_variables({name: value})
    assert caught.value.errors()[0]["loc"] == (name.lower(),)


def test_secrets_are_never_shown() -> None:
    secrets = AppSecrets.model_validate({"jwt_secret_key": "s3cret-value", "postgres_password": "s3cret-value"})
    assert "s3cret-value" not in repr(secrets)


def test_public_and_secret_settings_do_not_overlap() -> None:
    assert not set(SECRET_VARIABLES) & {name.upper() for name in AppConfig.model_fields}


@pytest.mark.parametrize("model", [AppConfig, AppSecrets])
def test_every_setting_is_described(model: type[AppConfig] | type[AppSecrets]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []
