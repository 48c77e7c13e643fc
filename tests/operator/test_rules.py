"""The rules between fields, in Python. That CEL says the same is tested on a real API server."""

from typing import Any

import pytest

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.rules import RULES, broken_rules

KEY = {"apiKeySecretRef": {"name": "k"}}
DEVELOPMENT: dict[str, Any] = {"environment": "Development", "llm": {"provider": "Offline"}}


def resource(spec: dict[str, Any]) -> GenAIAuto:
    return GenAIAuto.model_validate({"metadata": {"name": "x"}, "spec": spec})


@pytest.mark.parametrize(
    "spec",
    [
        DEVELOPMENT,
        {"llm": KEY},
        {**DEVELOPMENT, "environment": "Staging"},
        {**DEVELOPMENT, "api": {"trustedProxies": ["10.0.0.1", "10.0.0.0/8", "fd00::1", "fd00::/8"]}},
    ],
)
def test_a_good_specification_breaks_no_rule(spec: dict[str, Any]) -> None:
    assert broken_rules(resource(spec)) == ()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "Production needs llm.apiKeySecretRef (or provider Offline outside Production)"),
        ({"llm": {"provider": "Offline", **KEY}}, "Production needs a language model"),
        ({"environment": "Development"}, "provider OpenRouter needs llm.apiKeySecretRef"),
        ({**DEVELOPMENT, "llm": {"provider": "OpenAICompatible"}}, "needs llm.baseURL, such as http"),
        ({"llm": KEY, "api": {"logLevel": "DEBUG"}}, "set api.logLevel to INFO"),
        ({"llm": KEY, "auth": {"accessExpireMinutes": 61}}, "limits auth.accessExpireMinutes to 60"),
        ({"llm": KEY, "privacy": {"maskPII": False}}, "set privacy.maskPII to true"),
        ({"llm": KEY, "api": {"corsAllowedOrigins": ["https://a.example", "*"]}},
         "replace * in api.corsAllowedOrigins"),
        ({**DEVELOPMENT, "llm": {"provider": "Offline", "tracing": {"langsmith": {"enabled": True}}}},
         "llm.tracing.langsmith needs apiKeySecretRef"),
        *(
            ({**DEVELOPMENT, "api": {"trustedProxies": ["10.0.0.1", wrong]}}, "api.trustedProxies needs addresses")
            for wrong in ("10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0", "10.0.0.0/33", "fd00::1/8")
        ),
        ({"llm": KEY, "image": {"tag": "latest"}}, "replace the tag latest by a version"),
        ({"llm": KEY, "version": "latest"}, "replace the tag latest by a version"),
        ({**DEVELOPMENT, "api": {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}}, "must not exceed maxReplicas"),
        ({**DEVELOPMENT, "api": {"autoscaling": {"targetCPUPercent": 0}}}, "api.autoscaling needs a target"),
        ({**DEVELOPMENT, "api": {"autoscaling": {"engine": "KEDA", "targetInProgressRequests": 1}}},
         "api.autoscaling.prometheusURL says"),
        ({**DEVELOPMENT, "api": {"rollout": {"maxSurge": "0%", "maxUnavailable": 0}}}, "api.rollout needs maxSurge"),
        ({"llm": KEY, "api": {"extraEnv": [{"name": "MY_TOKEN", "value": "x"}]}}, "valueFrom.secretKeyRef"),
        ({**DEVELOPMENT, "api": {"extraEnv": [{"name": "A", "valueFrom": {}}]}}, "each variable of api.extraEnv"),
        ({**DEVELOPMENT, "api": {"extraEnvFrom": [{"prefix": "A"}]}}, "each entry of api.extraEnvFrom"),
        ({**DEVELOPMENT, "exposure": {"type": "Ingress"}}, "exposure.host is needed"),
        ({"llm": KEY, "exposure": {"type": "Ingress", "host": "a.b", "tls": {"mode": "None"}}}, "with TLS only"),
        ({**DEVELOPMENT, "exposure": {"tls": {"mode": "CertManager"}}}, "exposure.tls.issuerRef is needed"),
        ({**DEVELOPMENT, "exposure": {"type": "Gateway", "host": "a.b"}}, "exposure.gateway.parentRefs is needed"),
        ({**DEVELOPMENT, "networkPolicy": {"llmEgress": {"cidrs": ["10.0.0.1/8"]}}}, "llmEgress.cidrs needs networks"),
        ({**DEVELOPMENT, "database": {"mode": "External"}}, "needs host and credentialsSecretRef"),
        ({"llm": KEY, "database": {"mode": "External", "external": {
            "host": "d", "sslMode": "require", "credentialsSecretRef": {"name": "c"}}}},
         "checks the database's certificate"),
        ({**DEVELOPMENT, "redis": {"mode": "External"}}, "redis.external.host is needed"),
        ({**DEVELOPMENT, "database": {"managed": {"parameters": {"port": "1"}}}}, "must not name addresses"),
        ({**DEVELOPMENT, "database": {"user": "postgres"}}, "database.user must not be postgres"),
        ({**DEVELOPMENT, "database": {"user": "pg_reader"}}, "database.user must not be postgres"),
        ({**DEVELOPMENT, "database": {"name": "template1"}}, "database.name must not be postgres"),
    ],
)  # fmt: skip
def test_each_broken_rule_says_what_to_write(spec: dict[str, Any], message: str) -> None:
    (broken,) = broken_rules(resource(spec))
    assert message in broken


def test_outside_production_what_is_unsafe_for_customers_is_allowed() -> None:
    unsafe = {"privacy": {"maskPII": False}, "api": {"corsAllowedOrigins": ["*"], "logLevel": "DEBUG"}}
    assert broken_rules(resource({**DEVELOPMENT, **unsafe})) == ()


def test_a_digest_makes_the_tag_latest_harmless() -> None:
    assert broken_rules(resource({"llm": KEY, "image": {"tag": "latest", "digest": f"sha256:{'a' * 64}"}})) == ()


def test_a_private_model_server_needs_no_key_in_production() -> None:
    assert broken_rules(resource({"llm": {"provider": "OpenAICompatible", "baseURL": "http://vllm.models/v1"}})) == ()


def test_no_two_rules_have_the_same_message() -> None:
    assert len({rule.message for rule in RULES}) == len(RULES)
