"""The CRD and the models that it is made of."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from genai_contract.resource import FOLLOWED
from genai_operator.api.crd import FILE_NAME, crd, render, spec_schema
from genai_operator.api.genaiauto import Spec
from genai_operator.api.schema import Schema, structural_schema, unknown_fields, with_defaults

ROOT = Path(__file__).parents[2]
VERSION: dict[str, Any] = crd()["spec"]["versions"][0]
SPEC_SCHEMA = spec_schema()
ROOT_SCHEMA: Schema = VERSION["schema"]["openAPIV3Schema"]


def fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every field below `path` with its schema."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


FIELDS = {p: s for part in ("spec", "status") for p, s in fields(ROOT_SCHEMA["properties"][part], part)}
SPEC_FIELDS = {path: schema for path, schema in FIELDS.items() if path.startswith("spec")}


def test_the_committed_file_is_current() -> None:
    assert (ROOT / "crds" / FILE_NAME).read_text(encoding="utf-8") == render(), "run `make generate`"


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_is_described(path: str) -> None:
    assert len(FIELDS[path]["description"]) > 5
    assert FIELDS[path]["description"].rstrip()[-1] in ".)"


@pytest.mark.parametrize("path", SPEC_FIELDS)
def test_every_field_has_a_default_or_says_what_its_absence_means(path: str) -> None:
    schema = SPEC_FIELDS[path]
    if "default" not in schema:
        assert "Absent:" in schema["description"] or "Required:" in schema["description"]
    elif schema["default"] == "":
        assert any(hint in schema["description"] for hint in ("empty:", "wins over"))
    elif not isinstance(schema["default"], dict | list):
        text = str(schema["default"])
        assert f"Default: {text.lower() if isinstance(schema['default'], bool) else text}." in schema["description"]


@cache
def words_of_tests() -> frozenset[str]:
    """Every word of the tests that look at what a field does; those of the CRD itself do not count."""
    files = (file for folder in ("operator", "e2e") for file in (ROOT / "tests" / folder).glob("*.py"))
    texts = (file.read_text(encoding="utf-8") for file in files if file.name != Path(__file__).name)
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


@pytest.mark.parametrize("path", [path for path, schema in SPEC_FIELDS.items() if "properties" not in schema])
def test_a_test_sets_every_field(path: str) -> None:
    """Those that a setting of the app follows are set one by one in test_settings_of_the_app.py."""
    field = path.removeprefix("spec.")
    assert field in FOLLOWED.values() or field.rpartition(".")[2] in words_of_tests()


@pytest.mark.parametrize("path", FIELDS)
def test_nothing_is_nullable_and_everything_has_a_limit(path: str) -> None:
    schema = FIELDS[path]
    assert "nullable" not in schema
    if schema.get("type") == "array":
        assert "maxItems" in schema
    if schema.get("type") == "string":
        assert {"maxLength", "enum", "format"} & schema.keys()


def test_every_ancestor_of_a_default_has_a_complete_default() -> None:
    for path, schema in SPEC_FIELDS.items():
        if "default" in schema and "properties" in schema:
            below = {name: child["default"] for name, child in schema["properties"].items() if "default" in child}
            assert schema["default"] == below, path
            parent = SPEC_FIELDS.get(path.rpartition(".")[0])
            assert parent is None or "default" in parent


def test_the_defaults_of_the_crd_are_those_of_the_models() -> None:
    assert Spec.model_validate(with_defaults({}, SPEC_SCHEMA)) == Spec()


@given(st.fixed_dictionaries({}, optional={
    "api": st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 100)}),
    "redis": st.fixed_dictionaries({}, optional={"mode": st.sampled_from(["Managed", "Disabled"])}),
    "llm": st.fixed_dictionaries({"apiKeySecretRef": st.just({"name": "k"})}),
}))  # fmt: skip
def test_defaulting_fills_gaps_and_changes_nothing_that_is_written(spec: dict[str, Any]) -> None:
    filled = with_defaults(spec, SPEC_SCHEMA)
    assert with_defaults(filled, SPEC_SCHEMA) == filled
    for section, values in spec.items():
        assert values.items() <= filled[section].items() or section == "llm"
    assert Spec.model_validate(filled) == Spec.model_validate(spec)


def test_typing_mistakes_are_found_with_their_paths() -> None:
    wrong = {"apii": {}, "llm": {"baseUrl": "x"}, "imagePullSecrets": [{"nam": "x"}]}
    assert unknown_fields(wrong, SPEC_SCHEMA, "spec") == (
        "spec.apii",
        "spec.llm.baseUrl",
        "spec.imagePullSecrets[0].nam",
    )


def test_a_list_or_a_text_without_limit_is_refused_by_the_generator() -> None:
    class Unlimited(BaseModel):
        names: tuple[str, ...] = Field((), description="No limit.")

    class LimitedListOnly(BaseModel):
        names: Annotated[tuple[str, ...], Field(max_length=3)] = Field((), description="Texts without limit.")

    with pytest.raises(ValueError, match=r"Unlimited\.names"):
        structural_schema(Unlimited)
    with pytest.raises(ValueError, match=r"LimitedListOnly\.names\[\] needs maxLength"):
        structural_schema(LimitedListOnly)


def test_the_scale_subresource_reads_a_field_with_a_default() -> None:
    assert VERSION["subresources"]["scale"]["specReplicasPath"] == ".spec.api.replicas"
    assert FIELDS["spec.api.replicas"]["default"] == 1
