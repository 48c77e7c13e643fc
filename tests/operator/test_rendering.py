"""`genai-auto-operator render` and `install-manifests`."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from genai_operator.__main__ import app
from genai_operator.errors import InvalidResource
from genai_operator.rendering import read_resource

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.yaml"
HEAD = "apiVersion: genai-auto.dev/v1alpha1\nkind: GenAIAuto\nmetadata: {name: x}\n"


ROOT = Path(__file__).parents[2]


def test_render_prints_manifests_and_how_to_make_the_secrets() -> None:
    result = CliRunner().invoke(app, ["render", str(QUICKSTART), "--namespace", "team"])
    assert result.exit_code == 0
    kinds = [document["kind"] for document in yaml.safe_load_all(result.stdout)]
    assert {"Deployment", "StatefulSet", "Job", "ConfigMap", "Service", "ServiceAccount", "NetworkPolicy"} == set(kinds)
    assert "kubectl create secret generic quickstart-database --namespace team" in result.stdout
    assert all(document["metadata"]["namespace"] == "team" for document in yaml.safe_load_all(result.stdout))


def rendered_kinds(example: str, *arguments: str) -> set[str]:
    result = CliRunner().invoke(app, ["render", str(ROOT / "examples" / f"{example}.yaml"), *arguments])
    assert result.exit_code == 0, result.output
    return {document["kind"] for document in yaml.safe_load_all(result.stdout)}


def test_what_is_asked_for_by_name_is_rendered_and_what_is_auto_when_the_cluster_is_said_to_have_it() -> None:
    assert {"HTTPRoute", "ScaledObject"} <= rendered_kinds("gateway")
    assert "Cluster" in rendered_kinds("cloudnative-pg")
    assert "Certificate" in rendered_kinds("production")
    assert "ServiceMonitor" not in rendered_kinds("production")
    assert "ServiceMonitor" in rendered_kinds("production", "--served", "ServiceMonitor")


def test_install_manifests_prints_what_kubectl_takes() -> None:
    arguments = ["install-manifests", "--namespace", "sys", "--image", "o:1", "--app-image", "a:1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    kinds = [document["kind"] for document in yaml.safe_load_all(result.stdout)]
    assert kinds == [
        "Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Deployment",
        "PodDisruptionBudget",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "this is no YAML"),
        ("kind: Pod", "begin with kind: GenAIAuto"),
        ("kind: GenAIAuto\napiVersion: v9", "apiVersion must be genai-auto.dev/v1alpha1"),
        (f"{HEAD}spec: {{}}", r"Production needs llm.apiKeySecretRef \(or provider Offline outside Production\)"),
        (f"{HEAD}spec: {{apii: {{}}}}", "unknown field: spec.apii"),
        (f"{HEAD}spec: {{environment: Prod}}", "spec.environment: Input should be 'Development'"),
        (f"{HEAD}spec: {{api: {{replicas: 101}}}}", "spec.api.replicas: Input should be less than or equal to 100"),
    ],
)
def test_a_wrong_file_is_refused_with_the_field_and_what_to_write(text: str, message: str) -> None:
    with pytest.raises(InvalidResource, match=message):
        read_resource(text)


def test_a_wrong_file_ends_the_command_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("kind: Pod")
    result = CliRunner().invoke(app, ["render", str(file)])
    assert result.exit_code == 1
    assert str(file) in result.stderr
