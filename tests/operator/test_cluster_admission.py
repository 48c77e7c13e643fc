"""What the API server refuses by itself, with the words that people see."""

import itertools
import json
from typing import Any

import pytest

from genai_operator.api.crd import spec_schema
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.rules import broken_rules
from genai_operator.api.schema import with_defaults
from genai_testbed.kubectl import Kubectl, KubectlError

pytestmark = pytest.mark.cluster

OFFLINE: dict[str, Any] = {"environment": "Development", "llm": {"provider": "Offline"}}
SCHEMA = spec_schema()


def create(kubectl: Kubectl, spec: dict[str, Any], name: str = "x", *, dry: bool = True) -> dict[str, Any]:
    """Create a resource (or only ask whether it could be)."""
    manifest = {"apiVersion": "genai-auto.dev/v1alpha1", "kind": "GenAIAuto", "metadata": {"name": name}, "spec": spec}
    flags = ["--dry-run=server"] if dry else []
    text = kubectl.run("create", "--filename=-", "--output=json", *flags, stdin=json.dumps(manifest))
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "spec: Invalid value: Production needs llm.apiKeySecretRef (or provider Offline outside Production)"),
        ({**OFFLINE, "environment": "Prod"},
         'spec.environment: Unsupported value: "Prod": supported values: "Development", "Staging", "Production"'),
        ({**OFFLINE, "api": {"replicas": 101}}, "spec.api.replicas in body should be less than or equal to 100"),
        ({**OFFLINE, "llm": {"fallbackModels": list("abcdef")}},
         "spec.llm.fallbackModels: Too many: 6: must have at most 5"),
        ({**OFFLINE, "llm": {"confidenceThreshold": "1.1"}}, "spec.llm.confidenceThreshold in body should match"),
        ({**OFFLINE, "llm": {"budget": {"hourlyLimitUSD": "much"}}},
         "spec.llm.budget.hourlyLimitUSD in body should match"),
        ({**OFFLINE, "workshop": {"openingHours": "Monday 8-18"}}, "spec.workshop.openingHours in body should match"),
        ({**OFFLINE, "workshop": {"closedDays": ["2026-13-01"]}},
         "spec.workshop.closedDays[0] in body must be of type date"),
        ({**OFFLINE, "auth": {"adminEmail": "--help@x"}}, "spec.auth.adminEmail in body should match"),
        ({**OFFLINE, "apii": {}}, 'unknown field "spec.apii"'),
        ({**OFFLINE, "api": {"resources": {"limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}}},
         "requests.memory must not exceed limits.memory"),
        ({**OFFLINE, "api": {"resources": {"limits": {"memory": "much"}}}}, "spec.api.resources.limits.memory"),
        ({**OFFLINE, "imagePullSecrets": [{"name": "a"}, {"name": "a"}]}, "spec.imagePullSecrets[1]: Duplicate value"),
    ],
)  # fmt: skip
def test_a_wrong_specification_is_refused_with_what_to_write(
    kubectl: Kubectl, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        create(kubectl, spec)
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["1st", "a" * 41, "a.b"])
def test_a_name_that_makes_no_child_names_is_refused(kubectl: Kubectl, name: str) -> None:
    with pytest.raises(KubectlError, match=r"metadata.name must have at most 40 characters a-z, 0-9 and -"):
        create(kubectl, OFFLINE, name)


def test_the_longest_name_is_accepted(kubectl: Kubectl) -> None:
    assert create(kubectl, OFFLINE, "a" * 40)["metadata"]["name"] == "a" * 40


def test_the_api_server_fills_in_the_defaults_that_the_models_have(kubectl: Kubectl) -> None:
    assert create(kubectl, OFFLINE)["spec"] == with_defaults(OFFLINE, SCHEMA)


def test_null_is_the_default_as_in_render(kubectl: Kubectl) -> None:
    spec = {**OFFLINE, "api": {"replicas": None}}
    assert create(kubectl, spec)["spec"] == with_defaults(spec, SCHEMA)
    assert with_defaults(spec, SCHEMA)["api"]["replicas"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"database": {"name": "other"}}, "database.name is immutable: create a new resource with the wanted value"),
        ({"database": {"user": "other"}}, "database.user is immutable"),
        ({"database": {"managed": {"version": "18"}}}, "database.managed.version is immutable"),
        ({"database": {"managed": {"storage": {"size": "9Gi"}}}}, "storage.size must not shrink (the default is 10Gi)"),
        ({"database": {"managed": {"storage": {"storageClassName": "fast"}}}}, "storageClassName is immutable"),
        ({"llm": {"embeddingDimensions": 384}}, "llm.embeddingDimensions is immutable"),
    ],
)
def test_what_cannot_change_is_refused(kubectl: Kubectl, change: dict[str, Any], message: str) -> None:
    name = "immutable"
    if kubectl.find("gai", name) is None:
        create(kubectl, OFFLINE, name, dry=False)
    with pytest.raises(KubectlError) as refused:
        kubectl.run("patch", "gai", name, "--type=merge", "--dry-run=server", "--patch", json.dumps({"spec": change}))
    assert message in str(refused.value)


@pytest.mark.parametrize("size", ["10Gi", "10240Mi", "11Gi", 10737418240])
def test_storage_may_stay_or_grow_in_any_unit(kubectl: Kubectl, size: str | int) -> None:
    name = "immutable"
    if kubectl.find("gai", name) is None:
        create(kubectl, OFFLINE, name, dry=False)
    patch = json.dumps({"spec": {"database": {"managed": {"storage": {"size": size}}}}})
    kubectl.run("patch", "gai", name, "--type=merge", "--dry-run=server", "--patch", patch)


POD_SETTINGS: dict[tuple[str, bool], dict[str, Any]] = {
    ("INFO", True): {
        "autoscaling": {"minReplicas": 2, "maxReplicas": 2, "targetInProgressRequests": 3, "behavior": {"any": [1]}},
        "rollout": {"maxSurge": 0, "maxUnavailable": "10%"},
        "extraEnv": [
            {"name": "A", "value": "x"},
            {"name": "A_KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "B_KEY"},
        ],
        "extraEnvFrom": [{"secretRef": {"name": "s"}}, {"prefix": "P", "configMapRef": {"name": "c"}}],
        "podTemplate": {"spec": {"any": {"thing": [1, "two"]}}},
        "scheduling": {"nodeSelector": {"a.b/c": "d"}, "tolerations": [{"key": "k"}], "affinity": {"x": {}}},
    },
    ("INFO", False): {
        "autoscaling": {"minReplicas": 3, "maxReplicas": 2, "engine": "KEDA", "targetInProgressRequests": 3},
        "rollout": {"maxSurge": "0%", "maxUnavailable": 0},
        "extraEnv": [{"name": "MY_PASSWORD", "value": "open"}],
    },
    ("DEBUG", True): {
        "autoscaling": {"targetCPUPercent": 0},
        "extraEnv": [{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "extraEnvFrom": [{"prefix": "P"}],
    },
    ("DEBUG", False): {
        "extraEnv": [{"name": "A", "valueFrom": {}}],
        "extraEnvFrom": [{"secretRef": {"name": "s"}, "configMapRef": {"name": "s"}}],
    },
}
EDGE_SETTINGS: dict[tuple[str, bool], dict[str, Any]] = {
    ("INFO", True): {
        "exposure": {
            "type": "Ingress",
            "host": "a.example",
            "tls": {"mode": "CertManager", "issuerRef": {"name": "i"}},
        },
        "networkPolicy": {"llmEgress": {"cidrs": ["10.0.0.0/8", "fd00::/8"]}, "extraEgress": [{"any": [1]}]},
        "redis": {"mode": "External", "external": {"host": "r"}},
        "database": {
            "mode": "External",
            "external": {"host": "d", "credentialsSecretRef": {"name": "c"}},
            "managed": {"parameters": {"work_mem": "1MB"}},
        },
    },
    ("INFO", False): {
        "exposure": {"type": "Gateway", "tls": {"mode": "CertManager"}},
        "networkPolicy": {"llmEgress": {"cidrs": ["10.0.0.1/8"]}},
        "redis": {"mode": "External"},
        "database": {"mode": "External"},
    },
    ("DEBUG", True): {
        "exposure": {"type": "Ingress", "host": "a.example", "tls": {"mode": "None"}},
        "database": {
            "mode": "External",
            "external": {"host": "d", "sslMode": "require", "credentialsSecretRef": {"name": "c"}},
            "managed": {"parameters": {"port": "1"}},
        },
    },
    ("DEBUG", False): {
        "exposure": {"type": "Gateway", "host": "a.example", "gateway": {"parentRefs": [{"name": "g"}]}}
    },
}
COMBINATIONS = [
    {
        "environment": environment,
        "version": version,
        "image": {"digest": digest},
        "llm": {
            "provider": provider,
            "baseURL": base_url,
            **({"apiKeySecretRef": {"name": "k"}} if key else {}),
            "tracing": {
                "langsmith": {"enabled": base_url != "", **({"apiKeySecretRef": {"name": "k"}} if key else {})}
            },
        },
        "api": {
            "logLevel": level,
            "corsAllowedOrigins": ["*" if level == "DEBUG" else "https://a.example"],
            "trustedProxies": proxies,
            **POD_SETTINGS[level, key],
        },
        "auth": {"accessExpireMinutes": minutes},
        "privacy": {"maskPII": level != "DEBUG"},
        **EDGE_SETTINGS[level, key],
        "database": {"user": user, **EDGE_SETTINGS[level, key].get("database", {})},
    }
    for environment, provider, key, base_url, (version, digest, level, minutes, user, proxies) in itertools.product(
        ("Development", "Production"),
        ("OpenRouter", "OpenAICompatible", "Offline"),
        (True, False),
        ("", "http://m/v1"),
        (
            ("", "", "INFO", 30, "genai", ["10.0.0.0/8", "10.0.0.1", "fd00::/8", "fd00::1"]),
            ("latest", "", "DEBUG", 61, "pg_x", ["10.0.0.1/8"]),
            ("latest", f"sha256:{'a' * 64}", "INFO", 60, "postgres", ["0.0.0.0/0"]),
            ("", "", "INFO", 30, "genai", ["::/0"]),
            ("", "", "INFO", 30, "genai", ["10.0.0"]),
        ),
    )
]


def test_the_rules_in_cel_and_in_python_say_the_same(kubectl: Kubectl) -> None:
    """One request for all: the API server answers for each resource of a list."""
    items = [
        {"apiVersion": "genai-auto.dev/v1alpha1", "kind": "GenAIAuto", "metadata": {"name": f"r-{i}"}, "spec": spec}
        for i, spec in enumerate(COMBINATIONS)
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    with pytest.raises(KubectlError) as refused:
        kubectl.run("create", "--dry-run=server", "--filename=-", stdin=listed)
    said = str(refused.value).split("GenAIAuto.genai-auto.dev ")
    by_name = {text.split('"')[1]: text for text in said if text.startswith('"')}
    for item in items:
        app = GenAIAuto.model_validate({**item, "spec": with_defaults(item["spec"], SCHEMA)})
        text = by_name.get(app.metadata.name, "")
        broken = broken_rules(app)
        assert bool(text) == bool(broken), (item["spec"], text)
        assert all(message in text for message in broken), (text, broken)


def test_explain_is_documentation(kubectl: Kubectl) -> None:
    text = kubectl.run("explain", "genaiautos.spec.llm.provider")
    said = " ".join(text.split())
    assert "Offline quotes the knowledge base and needs no network; not for Production. Default: OpenRouter." in said


def test_resources_can_be_selected_by_field(kubectl: Kubectl) -> None:
    if kubectl.find("gai", "immutable") is None:
        create(kubectl, OFFLINE, "immutable", dry=False)
    selected = kubectl.items("gai", "--field-selector=spec.environment=Development,spec.llm.provider=Offline")
    assert "immutable" in {item["metadata"]["name"] for item in selected}
