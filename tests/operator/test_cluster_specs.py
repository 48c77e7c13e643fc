"""Specifications that nobody would think of, drawn from the CRD's schema: each is refused in words, or it works."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from genai_operator.api.crd import spec_schema
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.rules import broken_rules
from genai_operator.api.schema import Schema, with_defaults
from genai_operator.desired import desired_state
from genai_operator.desired.context import Context, Images
from genai_operator.desired.references import references
from genai_operator.desired.secrets import plans
from genai_operator.kinds import OPTIONAL
from genai_operator.manifests import Manifest
from genai_operator.observed import Observed
from genai_operator.status import assess
from genai_testbed.kubectl import Kubectl, KubectlError

pytestmark = pytest.mark.cluster

EXAMPLES = 1000
APPLIED = 40
"""So many of the accepted ones, spread over all, are given to the API server with all that follows from them."""
SCHEMA = spec_schema()
IMAGES = Images("genai-auto/app:1", "pgvector/pgvector:pg{version}", "redis:7-alpine")
EVERYTHING = frozenset(kind.name for kind in OPTIONAL)
QUANTITIES: dict[str, list[Any]] = {
    "cpu": ["50m", "1", "2500m", 3],
    "memory": ["64Mi", "1Gi", "2G", 536870912],
    "size": ["1Gi", "20Gi", "1T"],
    "maxSize": ["1Gi", "100Gi"],
    "maxSurge": ["1", "25%", 0, "0%"],
    "maxUnavailable": ["1", "25%", 0, "0%"],
    "maxBodySize": ["1Mi", 1000],
}
TEXTS = {"timezone": ["UTC", "Europe/Berlin"]}
"""Texts of which a pattern tells only the letters."""
FREE_FORM: dict[str, list[Any]] = {
    "affinity": [{}, {"podAntiAffinity": {}}],
    "behavior": [{}, {"scaleDown": {"selectPolicy": "Disabled"}}],
    "podTemplate": [{}, {"metadata": {"labels": {"team": "cars"}}}, {"spec": {"hostname": "x"}}],
    "extraEgress": [{}, {"ports": [{"port": 53, "protocol": "UDP"}]}],
}


def values(schema: Schema, name: str) -> st.SearchStrategy[Any]:
    """Values that a schema allows; of what it leaves open, those that another kind's schema allows."""
    if name in FREE_FORM and "properties" not in schema and schema.get("type") == "object":
        return st.sampled_from(FREE_FORM[name])
    if "x-kubernetes-int-or-string" in schema:
        return st.sampled_from(QUANTITIES[name])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            return objects(schema)
        case "array":
            items = st.lists(values(schema["items"], name), max_size=min(schema["maxItems"], 2), unique_by=repr)
            return items.filter(lambda found: distinct(found, schema))
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 100))
        case _:
            return st.sampled_from(TEXTS[name]) if name in TEXTS else texts(schema)


def distinct(items: list[Any], schema: Schema) -> bool:
    """A list-map has each key once."""
    keys = schema.get("x-kubernetes-list-map-keys", ())
    return all(len({item[key] for item in items}) == len(items) for key in keys)


def objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "additionalProperties" in schema:
        keys = st.from_regex(r"\A[a-z][a-z0-9]{0,9}\Z")
        return st.dictionaries(keys, values(schema["additionalProperties"], ""), max_size=2)
    fields = {name: values(child, name) for name, child in schema["properties"].items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: strategy for name, strategy in fields.items() if name not in required},
    )


def texts(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "date":
        return st.dates().map(lambda day: day.isoformat())
    if "pattern" not in schema:
        return st.sampled_from(["x", "some text"])
    longest = schema["maxLength"]
    pattern = re.compile(schema["pattern"], re.ASCII)
    printable = st.characters(min_codepoint=32, max_codepoint=126)
    return st.from_regex(pattern, alphabet=printable).filter(
        lambda text: schema.get("minLength", 0) <= len(text) <= longest and "\n" not in text
    )


def plainly(spec: dict[str, Any]) -> dict[str, Any]:
    """The same outside Production and without a model, so that most of it is accepted."""
    return {**spec, "environment": "Development", "llm": {**spec.get("llm", {}), "provider": "Offline"}}


drawn: list[tuple[dict[str, Any], tuple[str, ...]]] = []
"""Each specification, and what Python says against it."""


@given(st.booleans(), values(SCHEMA, "spec"))
@settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def draw(plain: bool, spec: dict[str, Any]) -> None:
    """Nothing that the schema allows makes the operator fail."""
    spec = plainly(spec) if plain else spec
    app = resource(spec, len(drawn))
    broken = broken_rules(app)
    drawn.append((spec, broken))
    if broken:
        return
    assert desired_state(app, Context(IMAGES, served=EVERYTHING))
    plans(app)
    references(app)
    for served in (frozenset[str](), EVERYTHING):
        assert assess(Observed(metadata=app.metadata, resource=app, images=IMAGES, served=served)).conditions


def resource(spec: dict[str, Any], number: int, namespace: str = "default") -> GenAIAuto:
    metadata = {"name": f"s-{number}", "namespace": namespace, "uid": "u", "generation": 1}
    return GenAIAuto.model_validate({"metadata": metadata, "spec": with_defaults(spec, SCHEMA)})


def refused(kubectl: Kubectl, items: list[Manifest]) -> dict[str, str]:
    """What the API server says against each of them, by name; nothing of those that it takes."""
    try:
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        kubectl.run("create", "--dry-run=server", "--filename=-", stdin=listed, timeout=280)
    except KubectlError as error:
        said = str(error).split("GenAIAuto.genai-auto.dev ")
        return {text.split('"')[1]: text for text in said if text.startswith('"')}
    return {}


def test_a_thousand_specifications(kubectl: Kubectl) -> None:
    draw()
    assert len(drawn) >= EXAMPLES
    items = [
        {"apiVersion": "genai-auto.dev/v1alpha1", "kind": "GenAIAuto", "metadata": {"name": f"s-{i}"}, "spec": spec}
        for i, (spec, _) in enumerate(drawn)
    ]
    said: dict[str, str] = {}
    for begin in range(0, len(items), 250):
        said |= refused(kubectl, items[begin : begin + 250])
    accepted = [(i, spec) for i, (spec, _) in enumerate(drawn) if f"s-{i}" not in said]
    for i, spec in accepted:
        assert not drawn[i][1], f"the API server takes what we would not: {drawn[i][1]} of {spec}"
    assert len(accepted) >= EXAMPLES / 10
    print(f"{len(drawn)} specifications, {len(accepted)} accepted")  # noqa: T201 - the figure of a run with -s
    for i, spec in accepted[:: max(len(accepted) // APPLIED, 1)]:
        manifests = desired_state(resource(spec, i), Context(IMAGES))
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        try:
            kubectl.run("apply", "--dry-run=server", "--server-side", "--filename=-", stdin=text)
        except KubectlError as error:
            raise AssertionError(f"{error}\nof {json.dumps(spec)}") from error
