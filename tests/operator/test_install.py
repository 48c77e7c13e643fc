"""The manifests that install the operator."""

import ast
from pathlib import Path

import pytest

import genai_operator
from genai_operator import kinds
from genai_operator.install import install_manifests, rules
from genai_operator.manifests import dig

MANIFESTS = install_manifests("genai-auto-system", "operator:1", "app:1")
GRANTED = {
    (group, resource, verb)
    for rule in rules()
    for group in rule["apiGroups"]
    for resource in rule["resources"]
    for verb in rule["verbs"]
}


def test_there_are_no_wildcards_and_no_rights_over_rights() -> None:
    assert not any("*" in part for right in GRANTED for part in right)
    assert not any(group == "rbac.authorization.k8s.io" for group, _, _ in GRANTED)
    assert not any(resource == "pods/exec" for _, resource, _ in GRANTED)


@pytest.mark.parametrize("kind", kinds.CHILDREN, ids=lambda kind: kind.name)
def test_what_is_watched_may_be_watched(kind: kinds.Kind) -> None:
    assert {(kind.group, kind.plural, verb) for verb in ("list", "watch")} <= GRANTED


@pytest.mark.parametrize("kind", kinds.PRUNED, ids=lambda kind: kind.name)
def test_what_is_pruned_may_be_deleted(kind: kinds.Kind) -> None:
    assert (kind.group, kind.plural, "delete") in GRANTED


def test_only_what_is_pruned_may_be_deleted() -> None:
    deletable = {(group, resource) for group, resource, verb in GRANTED if verb == "delete"}
    assert deletable == {(kind.group, kind.plural) for kind in kinds.PRUNED}


def test_every_kind_that_any_module_names_is_in_the_table_of_rights() -> None:
    """A manifest whose kind is not in the table could not be applied: `cluster.py` finds the path there."""
    named = set()
    for file in Path(str(genai_operator.__path__[0])).rglob("*.py"):
        if file.name in {"install.py", "crd.py"}:  # these write manifests for people to apply
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "kind" and isinstance(value, ast.Constant):
                        named.add(value.value)
    assert named
    assert named - {"Gateway"} <= kinds.BY_NAME.keys(), "a Gateway is only referred to"


@pytest.mark.parametrize(
    ("word", "modules"),
    [("RESTClientObject", {"cluster.py"}), ("ApiClient", set()), ("import aiohttp\n", {"cluster.py", "reports.py"})],
)
def test_only_one_module_talks_to_kubernetes_and_one_to_our_pods(word: str, modules: set[str]) -> None:
    root = Path(str(genai_operator.__path__[0]))
    users = {f.relative_to(root).as_posix() for f in root.rglob("*.py") if word in f.read_text(encoding="utf-8")}
    assert users == modules


def test_the_namespace_enforces_the_restricted_standard_and_the_operator_keeps_to_it() -> None:
    namespace = MANIFESTS[0]
    (deployment,) = (m for m in MANIFESTS if m["kind"] == "Deployment")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    spec = dig(deployment, "spec", "template", "spec")
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["containers"][0]["image"] == "operator:1"
    assert {"name": "APP_IMAGE", "value": "app:1"} in spec["containers"][0]["env"]


def test_two_operators_run_and_the_lease_says_who_works() -> None:
    (deployment,) = (m for m in MANIFESTS if m["kind"] == "Deployment")
    assert dig(deployment, "spec", "replicas") == 2
    variables = {v["name"]: v for v in dig(deployment, "spec", "template", "spec", "containers", 0, "env")}
    assert variables["LEADER_ELECTION"]["value"] == "true"
    assert variables["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    (leases,) = (m for m in MANIFESTS if m["kind"] == "Role")
    assert leases["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]}
    ]
