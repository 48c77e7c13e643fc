"""The Secrets that a person makes: what is said of a wrong one, and who hears of a change."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_contract.resource import FOLLOWED
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.references import Reference
from genai_operator.foreign_secrets import References, problem
from genai_operator.manifests import Manifest, Ref

GOOD = "0123456789abcdef" * 4


def resource(environment: str = "Production") -> GenAIAuto:
    spec = {"environment": environment, "llm": {"apiKeySecretRef": {"name": "k"}}}
    return GenAIAuto.model_validate({"metadata": {"name": "demo", "namespace": "ns"}, "spec": spec})


def said(app: GenAIAuto, field: str, live: Manifest | None) -> str:
    return problem(app, Reference(FOLLOWED[field], "s", "k", field), live)


def secret(**values: str) -> Manifest:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


@pytest.mark.parametrize(
    ("field", "live", "says"),
    [
        ("jwt_secret_key", None,
         "auth.jwtSecretRef: there is no Secret s: kubectl create secret generic s --from-literal=k=…"),
        ("openrouter_api_key", {}, "llm.apiKeySecretRef: Secret s has no key k: add it, or name another in the spec"),
        ("scheduler_api_key", secret(other="x"), "integrations.scheduler.apiKeySecretRef: Secret s has no key k"),
        ("langchain_api_key", secret(k=" \n"),
         "llm.tracing.langsmith.apiKeySecretRef: the value of k in Secret s is empty"),
        ("jwt_secret_key", secret(k="x" * 31),
         "auth.jwtSecretRef: the value of k in Secret s has 31 characters and Production needs 32"),
        ("jwt_secret_key", secret(k="change-me-in-production-use-openssl-rand-hex-32"),
         "auth.jwtSecretRef: the value of k in Secret s is a published default"),
        ("human_support_webhook", secret(k="desk.example/hook"),
         "integrations.humanSupportWebhookSecretRef: the value of k in Secret s is no address that begins with https://"),
    ],
)  # fmt: skip
def test_a_wrong_secret_is_named_with_its_field_and_what_to_do(field: str, live: Manifest | None, says: str) -> None:
    assert said(resource(), field, live).startswith(says)


def test_no_value_is_ever_shown() -> None:
    for field in ("jwt_secret_key", "human_support_webhook", "openrouter_api_key"):
        assert "s3cret" not in said(resource(), field, secret(k="s3cret"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("jwt_secret_key", GOOD), ("human_support_webhook", "https://desk.example/hook"), ("openrouter_api_key", "sk-1")],
)
def test_a_good_secret_is_no_problem(field: str, value: str) -> None:
    assert said(resource(), field, secret(k=value)) == ""


def test_outside_production_a_short_key_is_accepted() -> None:
    assert said(resource("Development"), "jwt_secret_key", secret(k="short")) == ""


NAMES = st.sets(st.sampled_from("abc"))
STEPS = st.lists(st.tuples(st.sampled_from("xyz"), NAMES), max_size=12)


@given(STEPS)
def test_a_change_reaches_exactly_the_instances_that_refer_to_the_secret_now(steps: list[Any]) -> None:
    references, truth = References(), dict[str, set[str]]()
    for instance, names in steps:
        references.keep(Ref("ns", instance), names)
        truth[instance] = names
    for name in "abc":
        assert references.instances_with(Ref("ns", name)) == {
            Ref("ns", i) for i, names in truth.items() if name in names
        }
        assert references.instances_with(Ref("elsewhere", name)) == frozenset()
    assert references.instances() == {Ref("ns", instance) for instance, names in truth.items() if names}
