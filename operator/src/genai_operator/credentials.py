"""Secrets that are made once and then kept: the only randomness of the operator.

A Secret that exists is used as it is, whoever made it; only keys that it lacks are added. So a person may choose the
passwords beforehand, and a database that was retained keeps its own.
"""

import base64
import secrets
from typing import Final

from genai_operator.cluster import Cluster
from genai_operator.desired.secrets import SecretPlan
from genai_operator.errors import Conflict
from genai_operator.kinds import SECRET
from genai_operator.manifests import Manifest, ObjectKey, Ref, covers
from genai_operator.naming import GENERATED
from genai_operator.observed import Observed
from genai_operator.store import slim

_BYTES: Final = 32


async def ensure(cluster: Cluster, plans: tuple[SecretPlan, ...], observed: Observed) -> tuple[Manifest, ...]:
    """Create what is missing and mend labels and owners. Returns the Secrets that changed, without their values."""
    changed = []
    for plan in plans:
        live = observed.children.get(ObjectKey("Secret", plan.name))
        if live is None:
            live = await _create_or_read(cluster, plan)
            changed.append(live)
        patch = mending(plan, live)
        if patch:
            ref = Ref(observed.metadata.namespace, plan.name)
            changed.append(slim(await cluster.merge_patch(SECRET, ref, patch)))
    return tuple(changed)


async def _create_or_read(cluster: Cluster, plan: SecretPlan) -> Manifest:
    try:
        return slim(await cluster.create(_generated(plan)))
    except Conflict:
        live = await cluster.get(SECRET, Ref(plan.metadata["namespace"], plan.name))
        if live is None:  # deleted in between
            raise
        return slim(live)


def _generated(plan: SecretPlan) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**plan.metadata, "annotations": {GENERATED: "true"}},
        "type": "Opaque",
        "data": {key: _encoded(value) for key, value in (*plan.fixed, *((key, _random()) for key in plan.random))},
    }


def mending(plan: SecretPlan, live: Manifest) -> Manifest:
    """The merge patch that a live Secret needs; empty when it needs none. Owners are set on generated Secrets only."""
    patch: Manifest = {}
    labels = plan.metadata["labels"]
    if not covers(live["metadata"]["labels"], labels):
        patch["metadata"] = {"labels": labels}
    owners = plan.metadata.get("ownerReferences", [])
    generated = (live["metadata"].get("annotations") or {}).get(GENERATED) == "true"
    if generated and live["metadata"].get("ownerReferences", []) != owners:
        patch.setdefault("metadata", {})["ownerReferences"] = owners or None
    missing = plan.keys - live["hashes"].keys()
    if missing:
        fixed = dict(plan.fixed)
        patch["data"] = {key: _encoded(fixed[key] if key in fixed else _random()) for key in sorted(missing)}
    return patch


def _random() -> str:
    return secrets.token_hex(_BYTES)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
