"""The rules between fields: each once as CEL for the API server, once as Python for a server that has an older CRD.

A test evaluates both on the same resources and compares.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from genai_contract.config import Environment
from genai_operator.api.agent_api import Engine, Variable
from genai_operator.api.database import RESERVED_PARAMETERS, DatabaseMode
from genai_operator.api.exposure import ExposureType, TLSMode
from genai_operator.api.genaiauto import GenAIAuto, Spec
from genai_operator.api.llm import Provider
from genai_operator.api.redis import RedisMode


@dataclass(frozen=True)
class Rule:
    """`cel` is evaluated with `self` as the spec; `holds` says the same; `message` says what to write instead."""

    cel: str
    holds: Callable[[Spec], bool]
    message: str


def _production(spec: Spec) -> bool:
    return spec.environment is Environment.PRODUCTION


def _is_network(text: str) -> bool:
    try:
        return ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _is_masked(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _in_order(least: int, most: int) -> bool:
    return least == 0 or most == 0 or least <= most


def _is_open_secret(variable: Variable) -> bool:
    return variable.value_from is None and variable.value != "" and variable.name.endswith(_SECRET_ENDINGS)


def _has_one_source(variable: Variable) -> bool:
    source = variable.value_from
    if source is None:
        return True
    return variable.value == "" and (source.secret_key_ref is None) != (source.config_map_key_ref is None)


_SECRET_ENDINGS: Final = ("KEY", "PASSWORD", "SECRET", "TOKEN")
_ZERO: Final = frozenset({"0", "0%"})

RULES: Final = (
    Rule(
        "self.environment != 'Production' || self.llm.provider == 'OpenAICompatible' || has(self.llm.apiKeySecretRef)",
        lambda s: (
            not _production(s) or s.llm.provider is Provider.OPENAI_COMPATIBLE or s.llm.api_key_secret_ref is not None
        ),
        "Production needs llm.apiKeySecretRef (or provider Offline outside Production)",
    ),
    Rule(
        "self.environment != 'Production' || self.llm.provider != 'Offline'",
        lambda s: not _production(s) or s.llm.provider is not Provider.OFFLINE,
        "Production needs a language model: set llm.provider to OpenRouter or OpenAICompatible",
    ),
    Rule(
        "self.environment == 'Production' || self.llm.provider != 'OpenRouter' || has(self.llm.apiKeySecretRef)",
        lambda s: _production(s) or s.llm.provider is not Provider.OPENROUTER or s.llm.api_key_secret_ref is not None,
        "provider OpenRouter needs llm.apiKeySecretRef (or set llm.provider to Offline)",
    ),
    Rule(
        "self.llm.provider != 'OpenAICompatible' || self.llm.baseURL != ''",
        lambda s: s.llm.provider is not Provider.OPENAI_COMPATIBLE or s.llm.base_url != "",
        "provider OpenAICompatible needs llm.baseURL, such as http://vllm.models:8000/v1",
    ),
    Rule(
        "self.environment != 'Production' || self.api.logLevel != 'DEBUG'",
        lambda s: not _production(s) or s.api.log_level != "DEBUG",
        "Production does not log at DEBUG, which may show customers' messages: set api.logLevel to INFO or above",
    ),
    Rule(
        "self.environment != 'Production' || self.auth.accessExpireMinutes <= 60",
        lambda s: not _production(s) or s.auth.access_expire_minutes <= 60,
        "Production limits auth.accessExpireMinutes to 60: a stolen token must not live long",
    ),
    Rule(
        "self.environment != 'Production' || self.image.digest != '' || "
        "!(self.image.tag == 'latest' || (self.image.tag == '' && self.version == 'latest'))",
        lambda s: not _production(s) or s.image.digest != "" or (s.image.tag or s.version) != "latest",
        "Production needs a fixed image: replace the tag latest by a version, or add image.digest",
    ),
    Rule(
        "self.environment != 'Production' || self.privacy.maskPII",
        lambda s: not _production(s) or s.privacy.mask_pii,
        "Production masks personal data in logs and traces: set privacy.maskPII to true",
    ),
    Rule(
        "self.environment != 'Production' || !('*' in self.api.corsAllowedOrigins)",
        lambda s: not _production(s) or "*" not in s.api.cors_allowed_origins,
        "Production does not accept every origin: replace * in api.corsAllowedOrigins by those of your pages",
    ),
    Rule(
        "self.api.trustedProxies.all(p, isIP(p) || "
        "(isCIDR(p) && cidr(p).prefixLength() > 0 && cidr(p).masked() == cidr(p)))",
        lambda s: all(_is_network(proxy) for proxy in s.api.trusted_proxies),
        "api.trustedProxies needs addresses, or networks such as 10.244.0.0/16, and not everybody (/0)",
    ),
    Rule(
        "!self.llm.tracing.langsmith.enabled || has(self.llm.tracing.langsmith.apiKeySecretRef)",
        lambda s: not s.llm.tracing.langsmith.enabled or s.llm.tracing.langsmith.api_key_secret_ref is not None,
        "llm.tracing.langsmith needs apiKeySecretRef (or set enabled to false)",
    ),
    Rule(
        "self.api.autoscaling.minReplicas == 0 || self.api.autoscaling.maxReplicas == 0 || "
        "self.api.autoscaling.minReplicas <= self.api.autoscaling.maxReplicas",
        lambda s: _in_order(s.api.autoscaling.min_replicas, s.api.autoscaling.max_replicas),
        "api.autoscaling.minReplicas must not exceed maxReplicas: lower the one or raise the other",
    ),
    Rule(
        "self.api.autoscaling.targetCPUPercent > 0 || self.api.autoscaling.targetMemoryPercent > 0 || "
        "self.api.autoscaling.targetInProgressRequests > 0",
        lambda s: (
            s.api.autoscaling.target_cpu_percent > 0
            or s.api.autoscaling.target_memory_percent > 0
            or s.api.autoscaling.target_in_progress_requests > 0
        ),
        "api.autoscaling needs a target: set targetCPUPercent, targetMemoryPercent or targetInProgressRequests",
    ),
    Rule(
        "self.api.autoscaling.engine != 'KEDA' || self.api.autoscaling.targetInProgressRequests == 0 || "
        "self.api.autoscaling.prometheusURL != ''",
        lambda s: (
            s.api.autoscaling.engine is not Engine.KEDA
            or s.api.autoscaling.target_in_progress_requests == 0
            or s.api.autoscaling.prometheus_url != ""
        ),
        "api.autoscaling.prometheusURL says where KEDA asks for requests in progress: set it, or "
        "targetInProgressRequests to 0",
    ),
    Rule(
        "!(string(self.api.rollout.maxSurge) in ['0', '0%']) || "
        "!(string(self.api.rollout.maxUnavailable) in ['0', '0%'])",
        lambda s: s.api.rollout.max_surge not in _ZERO or s.api.rollout.max_unavailable not in _ZERO,
        "api.rollout needs maxSurge or maxUnavailable above 0: with neither no pod can be replaced",
    ),
    Rule(
        "self.environment != 'Production' || self.api.extraEnv.all(v, has(v.valueFrom) || v.value == '' || "
        "!(v.name.endsWith('KEY') || v.name.endsWith('PASSWORD') || v.name.endsWith('SECRET') || "
        "v.name.endsWith('TOKEN')))",
        lambda s: not _production(s) or not any(_is_open_secret(variable) for variable in s.api.extra_env),
        "Production keeps secrets in Secrets: replace the value in api.extraEnv by valueFrom.secretKeyRef",
    ),
    Rule(
        "self.api.extraEnv.all(v, !has(v.valueFrom) || (v.value == '' && "
        "has(v.valueFrom.secretKeyRef) != has(v.valueFrom.configMapKeyRef)))",
        lambda s: all(_has_one_source(variable) for variable in s.api.extra_env),
        "each variable of api.extraEnv needs either value, or valueFrom with one of secretKeyRef and configMapKeyRef",
    ),
    Rule(
        "self.api.extraEnvFrom.all(v, has(v.secretRef) != has(v.configMapRef))",
        lambda s: all((v.secret_ref is None) != (v.config_map_ref is None) for v in s.api.extra_env_from),
        "each entry of api.extraEnvFrom needs one of secretRef and configMapRef",
    ),
    Rule(
        "self.exposure.type == 'None' || self.exposure.host != ''",
        lambda s: s.exposure.type is ExposureType.NONE or s.exposure.host != "",
        "exposure.host is needed to be exposed: write the name that clients use, such as cars.example.com",
    ),
    Rule(
        "self.environment != 'Production' || self.exposure.type != 'Ingress' || self.exposure.tls.mode != 'None'",
        lambda s: (
            not _production(s) or s.exposure.type is not ExposureType.INGRESS or s.exposure.tls.mode is not TLSMode.NONE
        ),
        "Production is exposed with TLS only: set exposure.tls.mode to CertManager or Secret",
    ),
    Rule(
        "self.exposure.tls.mode != 'CertManager' || has(self.exposure.tls.issuerRef)",
        lambda s: s.exposure.tls.mode is not TLSMode.CERT_MANAGER or s.exposure.tls.issuer_ref is not None,
        "exposure.tls.issuerRef is needed with CertManager: kubectl get clusterissuers shows what there is",
    ),
    Rule(
        "self.exposure.type != 'Gateway' || size(self.exposure.gateway.parentRefs) > 0",
        lambda s: s.exposure.type is not ExposureType.GATEWAY or len(s.exposure.gateway.parent_refs) > 0,
        "exposure.gateway.parentRefs is needed with Gateway: kubectl get gateways --all-namespaces shows what there is",
    ),
    Rule(
        "self.networkPolicy.llmEgress.cidrs.all(c, isCIDR(c) && cidr(c).masked() == cidr(c))",
        lambda s: all(_is_masked(cidr) for cidr in s.network_policy.llm_egress.cidrs),
        "networkPolicy.llmEgress.cidrs needs networks such as 203.0.113.0/24, without bits beyond the prefix",
    ),
    Rule(
        "self.database.mode != 'External' || "
        "(self.database.external.host != '' && has(self.database.external.credentialsSecretRef))",
        lambda s: (
            s.database.mode is not DatabaseMode.EXTERNAL
            or (s.database.external.host != "" and s.database.external.credentials_secret_ref is not None)
        ),
        "database.external needs host and credentialsSecretRef in mode External",
    ),
    Rule(
        "self.environment != 'Production' || self.database.mode != 'External' || "
        "self.database.external.sslMode.startsWith('verify-')",
        lambda s: (
            not _production(s)
            or s.database.mode is not DatabaseMode.EXTERNAL
            or s.database.external.ssl_mode.startswith("verify-")
        ),
        "Production checks the database's certificate: set database.external.sslMode to verify-full or verify-ca",
    ),
    Rule(
        "self.redis.mode != 'External' || self.redis.external.host != ''",
        lambda s: s.redis.mode is not RedisMode.EXTERNAL or s.redis.external.host != "",
        "redis.external.host is needed in mode External",
    ),
    Rule(
        "self.api.scheduling.tolerations.all(t, "
        "(t.key != '' || t.operator == 'Exists') && (t.value == '' || t.operator == 'Equal'))",
        lambda s: all(
            (t.key != "" or t.operator == "Exists") and (t.value == "" or t.operator == "Equal")
            for t in s.api.scheduling.tolerations
        ),
        "api.scheduling.tolerations: without a key the operator is Exists, and Exists has no value",
    ),
    Rule(
        "self.database.vectorIndex.hnsw.efConstruction >= 2 * self.database.vectorIndex.hnsw.m",
        lambda s: s.database.vector_index.hnsw.ef_construction >= 2 * s.database.vector_index.hnsw.m,
        "database.vectorIndex.hnsw.efConstruction must be at least twice m: raise it, or lower m",
    ),
    Rule(
        f"self.database.managed.parameters.all(p, !(p in {list(RESERVED_PARAMETERS)}))",
        lambda s: not set(RESERVED_PARAMETERS) & s.database.managed.parameters.keys(),
        "database.managed.parameters must not name addresses, files or passwords: the start script sets them",
    ),
    Rule(
        "self.environment != 'Production' || !self.pgadmin.enabled",
        lambda s: not _production(s) or not s.pgadmin.enabled,
        "Production has no pgAdmin: set pgadmin.enabled to false, and look with kubectl exec and psql",
    ),
    Rule(
        "self.database.user != 'postgres' && !self.database.user.startsWith('pg_')",
        lambda s: s.database.user != "postgres" and not s.database.user.startswith("pg_"),
        "database.user must not be postgres or begin with pg_: these roles belong to the server",
    ),
    Rule(
        "!(self.database.name in ['postgres', 'template0', 'template1'])",
        lambda s: s.database.name not in {"postgres", "template0", "template1"},
        "database.name must not be postgres, template0 or template1: these databases belong to the server",
    ),
)

NAME_RULE: Final = {
    "rule": "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "message": "metadata.name must have at most 40 characters a-z, 0-9 and -, begin with a letter and not end with -",
}


def broken_rules(app: GenAIAuto) -> tuple[str, ...]:
    """The messages of all rules that a resource breaks, in the order of the table."""
    return tuple(rule.message for rule in RULES if not rule.holds(app.spec))
