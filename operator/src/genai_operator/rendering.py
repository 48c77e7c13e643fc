"""The manifests of an instance without a cluster: for review, for GitOps, for those who want no operator."""

from collections.abc import Collection
from typing import Any

import yaml
from pydantic import ValidationError

from genai_operator.api.agent_api import Engine, Switch
from genai_operator.api.crd import spec_schema
from genai_operator.api.database import DatabaseMode
from genai_operator.api.exposure import ExposureType, TLSMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.rules import broken_rules
from genai_operator.api.schema import unknown_fields, with_defaults
from genai_operator.desired import desired_state
from genai_operator.desired.context import Context, Images
from genai_operator.desired.secrets import SecretPlan, plans
from genai_operator.errors import InvalidResource
from genai_operator.kinds import (
    ALERTMANAGER_CONFIG,
    CERTIFICATE,
    GENAI_AUTO,
    HTTP_ROUTE,
    POSTGRES_CLUSTER,
    PROMETHEUS_RULE,
    SCALED_OBJECT,
    SERVICE_MONITOR,
)
from genai_operator.yaml_output import to_yaml


def read_resource(text: str, namespace: str = "") -> GenAIAuto:
    """The resource in a YAML text, with the defaults that the API server would add. Raises InvalidResource.

    namespace: where it goes; empty: where the text says, else `default`.
    """
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidResource(f"this is no YAML: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != GENAI_AUTO.name:
        raise InvalidResource(f"this is no {GENAI_AUTO.name}: begin with kind: {GENAI_AUTO.name}, one resource a file")
    if document.get("apiVersion") != GENAI_AUTO.api_version:
        raise InvalidResource(f"apiVersion must be {GENAI_AUTO.api_version}")
    schema, spec = spec_schema(), document.get("spec") or {}
    unknown = unknown_fields(spec, schema, "spec")
    if unknown:
        raise InvalidResource("unknown field: " + ", ".join(unknown))
    try:
        metadata = {**(document.get("metadata") or {}), **({"namespace": namespace} if namespace else {})}
        app = GenAIAuto.model_validate({"metadata": metadata, "spec": with_defaults(spec, schema)})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        raise InvalidResource("; ".join(lines)) from error
    if broken := broken_rules(app):
        raise InvalidResource("; ".join(broken))
    return app


def render(app: GenAIAuto, images: Images, served: Collection[str] = ()) -> str:
    """YAML that `kubectl apply` takes. Secrets are a comment: whoever applies it draws the passwords.

    served: optional kinds that the cluster has, beside those that the resource asks for by name.
    """
    documents = desired_state(app, Context(images=images, served=asked_for(app) | frozenset(served)))
    return "".join(_note(app, plan) for plan in plans(app)) + to_yaml(documents)


def asked_for(app: GenAIAuto) -> frozenset[str]:
    """Optional kinds that the resource asks for itself; what is Auto waits for a cluster to be looked at."""
    spec, monitoring = app.spec, app.spec.monitoring
    wishes = (
        (HTTP_ROUTE, spec.exposure.type is ExposureType.GATEWAY),
        (CERTIFICATE, spec.exposure.tls.mode is TLSMode.CERT_MANAGER),
        (SCALED_OBJECT, spec.api.autoscaling.engine is Engine.KEDA),
        (POSTGRES_CLUSTER, spec.database.mode is DatabaseMode.CLOUD_NATIVE_PG),
        (SERVICE_MONITOR, monitoring.service_monitor.mode is Switch.ENABLED),
        (PROMETHEUS_RULE, monitoring.prometheus_rule.mode is Switch.ENABLED),
        (ALERTMANAGER_CONFIG, monitoring.alertmanager_config.mode is Switch.ENABLED),
    )
    return frozenset(kind.name for kind, wished in wishes if wished)


def _note(app: GenAIAuto, plan: SecretPlan) -> str:
    literals = [f"--from-literal={key}={value}" for key, value in plan.fixed]
    literals += [f'--from-literal={key}="$(openssl rand -hex 32)"' for key in plan.random]
    lines = " \\\n#   ".join(
        [f"kubectl create secret generic {plan.name} --namespace {app.metadata.namespace}", *literals]
    )
    return f"# Before the first apply, once:\n#   {lines}\n"
