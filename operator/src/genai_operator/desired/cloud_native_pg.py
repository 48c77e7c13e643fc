"""The Cluster of CloudNativePG, when the operator is to make one: that operator then runs PostgreSQL."""

from typing import Final

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.profiles import PROFILES
from genai_operator.desired.connections import cluster_name
from genai_operator.desired.context import Context, from_registry
from genai_operator.desired.effective import hibernated, sized
from genai_operator.desired.objects import metadata
from genai_operator.kinds import POSTGRES_CLUSTER
from genai_operator.manifests import Manifest
from genai_operator.naming import Component

HIBERNATION: Final = "cnpg.io/hibernation"
"""CloudNativePG's own annotation: `on` stops the servers and keeps their volumes."""


def makes_cluster(app: GenAIAuto) -> bool:
    """Whether the Cluster is ours."""
    spec = app.spec.database
    return spec.mode is DatabaseMode.CLOUD_NATIVE_PG and spec.cloud_native_pg.cluster_ref is None


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """The Cluster; nothing where CloudNativePG is not installed, which a condition tells."""
    if not makes_cluster(app) or not ctx.serves(POSTGRES_CLUSTER):
        return ()
    spec = app.spec.database
    wish = spec.cloud_native_pg.create
    size = sized(wish.resources, PROFILES[app.spec.profile].database)
    image = from_registry(wish.image, app.spec.image_registry) if wish.image else ""
    storage_class = wish.storage.storage_class_name
    pull_secrets = [{"name": secret.name} for secret in app.spec.image_pull_secrets]
    keep = app.spec.deletion_policy.value == "Retain"
    meta = metadata(app, cluster_name(app), Component.DATABASE, owned=not keep)
    return (
        {
            "apiVersion": POSTGRES_CLUSTER.api_version,
            "kind": POSTGRES_CLUSTER.name,
            "metadata": {**meta, "annotations": {HIBERNATION: "on" if hibernated(app) else "off"}},
            "spec": {
                "instances": wish.instances,
                **({"imageName": image} if image else {}),
                **({"imagePullSecrets": pull_secrets} if pull_secrets else {}),
                "bootstrap": {
                    "initdb": {
                        "database": spec.name,
                        "owner": spec.user,
                        "postInitApplicationSQL": ["CREATE EXTENSION IF NOT EXISTS vector"],
                    }
                },
                "storage": {
                    "size": wish.storage.size,
                    **({"storageClass": storage_class} if storage_class else {}),
                },
                "resources": size.manifest(),
            },
        },
    )
