"""Every field of the resource that a setting follows changes that setting, and nothing else."""

from typing import Any

import pytest

from genai_contract.config import AppConfig, AppSecrets
from genai_contract.resource import FOLLOWED
from genai_operator.api.crd import spec_schema
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.schema import Schema, with_defaults
from genai_operator.desired.config import app_config, config_hash, secret_variables
from genai_operator.desired.context import Context, Images

SCHEMA = spec_schema()
IMAGES = Images("app", "database", "redis")
DIFFERENT = frozenset({"environment", "log_level", "llm_provider", "postgres_host", "redis_url"})
"""Settings whose value in a pod is not the app's own default: the operator is stricter, or knows better."""
SAMPLES: dict[str, tuple[Any, Any]] = {
    "api.corsAllowedOrigins": (["https://a.example", "https://b.example:8443"], "https://a.example,https://b.example:8443"),
    "api.trustedProxies": (["10.0.0.0/8", "fd00::/8"], "10.0.0.0/8,fd00::/8"),
    "llm.fallbackModels": (["a/b:free", "c"], "a/b:free,c"),
    "llm.provider": ("OpenAICompatible", "openai-compatible"),
    "llm.confidenceThreshold": ("0.85", 0.85),
    "llm.baseURL": ("http://vllm.models:8000/v1", "http://vllm.models:8000/v1"),
    "workshop.closedDays": (["2026-12-25", "2027-01-01"], "2026-12-25,2027-01-01"),
    "workshop.openingHours": ("Mon-Fri 07:00-16:00", "Mon-Fri 07:00-16:00"),
    "exposure.limits.maxBodySize": ("64Ki", 65536),
    "database.vectorIndex.type": ("IVFFlat", "ivfflat"),
    "exposure.privatePaths": (["/docs", "/openapi.json"], "/docs,/openapi.json"),
    "workshop.timezone": ("America/Sao_Paulo", "America/Sao_Paulo"),
}  # fmt: skip
"""What no schema tells: a value of the field, and of the setting."""


def nested(path: str, value: Any) -> dict[str, Any]:
    """A specification with one field."""
    for step in reversed(path.split(".")):
        value = {step: value}
    result: dict[str, Any] = value
    return result


def schema_of(path: str) -> Schema:
    """The CRD's schema of a field. Raises KeyError for a path that there is not."""
    found = SCHEMA
    for step in path.split("."):
        found = found["properties"][step]
    return found


def sample(path: str) -> tuple[Any, Any]:
    """Another value than the default: of the field, and of the setting."""
    if path in SAMPLES:
        return SAMPLES[path]
    schema = schema_of(path)
    default = schema["default"]
    if "enum" in schema:
        other = next(value for value in schema["enum"] if value != default)
    elif schema["type"] == "boolean":
        other = not default
    elif schema["type"] == "integer":
        other = default + 1
    elif "USD" in path:
        other = "12.5"
    else:
        other = "https://other.example/v1" if str(schema.get("pattern", "")).startswith("^$|^https?") else "other"
    return other, other


def resource(spec: dict[str, Any]) -> GenAIAuto:
    return GenAIAuto.model_validate({"metadata": {"name": "demo"}, "spec": with_defaults(spec, SCHEMA)})


PUBLIC = [(name, path) for name, path in FOLLOWED.items() if name in AppConfig.model_fields]
SECRET = [(name, path) for name, path in FOLLOWED.items() if name in AppSecrets.model_fields]


def test_without_a_word_in_the_resource_the_app_has_its_own_defaults() -> None:
    changed = app_config(resource({})).model_dump(exclude_defaults=True)
    assert changed.keys() == DIFFERENT


@pytest.mark.parametrize(("name", "path"), PUBLIC)
def test_a_field_changes_its_setting_alone_and_rolls_the_pods(name: str, path: str) -> None:
    before, (value, expected) = resource({}), sample(path)
    after = resource(nested(path, value))
    old, new = app_config(before).model_dump(mode="json"), app_config(after).model_dump(mode="json")
    assert {setting for setting in new if new[setting] != old[setting]} == {name}
    assert new[name] == expected
    assert config_hash(before, Context(IMAGES)) != config_hash(after, Context(IMAGES))
    assert AppConfig.from_environment_variables(app_config(after).environment_variables()) == app_config(after)


@pytest.mark.parametrize(("name", "path"), SECRET)
def test_a_reference_becomes_a_secret_variable_whose_contents_roll_the_pods(name: str, path: str) -> None:
    usual = schema_of(path)["properties"]["key"]["default"]
    for reference, key in (({"name": "mine"}, usual), ({"name": "mine", "key": "other"}, "other")):
        app = resource(nested(path, reference))
        variables = {
            variable["name"]: variable["valueFrom"]["secretKeyRef"]
            for variable in secret_variables(app, AppSecrets.model_fields)
        }
        assert variables[name.upper()] == {"name": "mine", "key": key}
        assert config_hash(app, Context(IMAGES)) != config_hash(app, Context(IMAGES, secrets={"mine": "changed"}))


def test_a_secret_setting_that_nobody_refers_to_is_not_in_the_pod() -> None:
    given = {variable["name"] for variable in secret_variables(resource({}), AppSecrets.model_fields)}
    assert given == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET_KEY"}
