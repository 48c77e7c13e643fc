"""The manifests that install the operator itself: namespace, account, least rights, Deployment."""

from collections import defaultdict
from typing import Any, Final

from genai_operator import kinds
from genai_operator.manifests import Manifest
from genai_operator.naming import APP_NAME, PART_OF, PRODUCT

NAME: Final = "genai-auto-operator"
PORT: Final = 8080
_USER: Final = 65532
_LABELS: Final = {APP_NAME: NAME, PART_OF: PRODUCT}

_SUBRESOURCES: Final = (
    (kinds.GROUP, f"{kinds.GENAI_AUTO.plural}/status", ("patch",)),
    # Where OwnerReferencesPermissionEnforcement is on, blockOwnerDeletion needs this right.
    (kinds.GROUP, f"{kinds.GENAI_AUTO.plural}/finalizers", ("update",)),
)
_KOPF: Final = (
    # Kopf looks where our kind is served, and in which namespaces.
    ("apiextensions.k8s.io", "customresourcedefinitions", ("list", "watch")),
    ("", "namespaces", ("list", "watch")),
)


def install_manifests(namespace: str, image: str, app_image: str) -> tuple[Manifest, ...]:
    """Everything but the CRD, in apply order."""
    return (
        _namespace(namespace),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespace)},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": NAME, "labels": _LABELS},
            "rules": rules(),
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME, "labels": _LABELS},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
        },
        _deployment(namespace, image, app_image),
    )


def rules() -> list[dict[str, Any]]:
    """The rights that the table of kinds asks for, one rule for each group and set of verbs."""
    wanted = [(kind.group, kind.plural, kind.verbs) for kind in kinds.ALL] + [*_SUBRESOURCES, *_KOPF]
    resources: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for group, resource, verbs in wanted:
        resources[group, verbs].append(resource)
    return [
        {"apiGroups": [group], "resources": sorted(names), "verbs": list(verbs)}
        for (group, verbs), names in sorted(resources.items())
    ]


def _metadata(namespace: str) -> Manifest:
    return {"name": NAME, "namespace": namespace, "labels": _LABELS}


def _namespace(name: str) -> Manifest:
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**_LABELS, **levels}}}


def _deployment(namespace: str, image: str, app_image: str) -> Manifest:
    selector = {APP_NAME: NAME}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(namespace),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},  # never two that reconcile the same resource
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {
                    "labels": _LABELS,
                    "annotations": {"kubectl.kubernetes.io/default-container": "operator"},
                },
                "spec": {
                    "serviceAccountName": NAME,
                    "terminationGracePeriodSeconds": 60,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": _USER,
                        "runAsGroup": _USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [_container(image, app_image)],
                    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
                },
            },
        },
    }


def _container(image: str, app_image: str) -> Manifest:
    return {
        "name": "operator",
        "image": image,
        "command": [NAME, "run"],
        "env": [
            {"name": "APP_IMAGE", "value": app_image},
            {"name": "LISTEN_PORT", "value": str(PORT)},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the mount point of the pod's own directory
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": _probe("/livez", period=1, failures=60),
        "livenessProbe": _probe("/livez", period=20, failures=3),
        "readinessProbe": _probe("/readyz", period=5, failures=3),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the pod's own directory
    }


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
