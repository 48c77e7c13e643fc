"""The manifests of an instance without a cluster: for review, for GitOps, for those who want no operator."""

from typing import Any

import yaml
from pydantic import ValidationError

from genai_operator.api.crd import spec_schema
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.rules import broken_rules
from genai_operator.api.schema import unknown_fields, with_defaults
from genai_operator.desired import desired_state
from genai_operator.desired.context import Context, Images
from genai_operator.desired.secrets import SecretPlan, plans
from genai_operator.errors import InvalidResource
from genai_operator.kinds import GENAI_AUTO
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


def render(app: GenAIAuto, images: Images) -> str:
    """YAML that `kubectl apply` takes. Secrets are a comment: whoever applies it draws the passwords."""
    documents = desired_state(app, Context(images=images))
    return "".join(_note(app, plan) for plan in plans(app)) + to_yaml(documents)


def _note(app: GenAIAuto, plan: SecretPlan) -> str:
    literals = [f"--from-literal={key}={value}" for key, value in plan.fixed]
    literals += [f'--from-literal={key}="$(openssl rand -hex 32)"' for key in plan.random]
    lines = " \\\n#   ".join(
        [f"kubectl create secret generic {plan.name} --namespace {app.metadata.namespace}", *literals]
    )
    return f"# Before the first apply, once:\n#   {lines}\n"
