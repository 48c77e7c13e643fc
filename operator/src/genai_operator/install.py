"""The manifests that install the operator itself: namespace, account, least rights, Deployment."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from genai_operator import kinds
from genai_operator.manifests import Manifest
from genai_operator.naming import APP_NAME, OPERATOR_NAME, PART_OF, PRODUCT

NAME: Final = OPERATOR_NAME
PORT: Final = 8080
_USER: Final = 65532
_LABELS: Final = {APP_NAME: NAME, PART_OF: PRODUCT}

_SUBRESOURCES: Final = (
    (kinds.GROUP, f"{kinds.GENAI_AUTO.plural}/status", ("patch",)),
    # Where OwnerReferencesPermissionEnforcement is on, blockOwnerDeletion needs this right.
    (kinds.GROUP, f"{kinds.GENAI_AUTO.plural}/finalizers", ("update",)),
)
_CLUSTER_WIDE: Final = (
    # Kopf looks where our kind is served, and in which namespaces; we look whether its definition is current.
    (kinds.DEFINITION.group, kinds.DEFINITION.plural, kinds.DEFINITION.verbs),
    ("", "namespaces", ("list", "watch")),
)


def install_manifests(
    namespace: str, image: str, app_image: str, *, replicas: int = 2, watched: Sequence[str] = ()
) -> tuple[Manifest, ...]:
    """Everything but the CRD, in apply order. `watched`: the only namespaces to work in; none: all of them.

    With some, nothing is granted beyond these namespaces and the operator's own.
    """
    granted = (
        tuple(part for name in watched for part in _grant(name, "", rules(), namespace))
        if watched
        else _grant("", "", [*rules(), *_rules_of(_CLUSTER_WIDE)], namespace)
    )
    leases = _rules_of(((kinds.LEASE.group, kinds.LEASE.plural, kinds.LEASE.verbs),))
    return (
        _namespace(namespace),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespace)},
        *granted,
        *_grant(namespace, "-leases", leases, namespace),
        _deployment(namespace, image, app_image, replicas, watched),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": _metadata(namespace),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {APP_NAME: NAME}}},
        },
    )


def _grant(namespace: str, suffix: str, granted: list[dict[str, Any]], account_namespace: str) -> tuple[Manifest, ...]:
    """A role and its binding to the operator's account: in one namespace, or (empty) in the whole cluster."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": NAME + suffix, **({"namespace": namespace} if namespace else {}), "labels": _LABELS}
    api = "rbac.authorization.k8s.io"
    return (
        {"apiVersion": f"{api}/v1", "kind": kind, "metadata": metadata, "rules": granted},
        {
            "apiVersion": f"{api}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": kind, "name": NAME + suffix},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": account_namespace}],
        },
    )


def rules() -> list[dict[str, Any]]:
    """The rights in a namespace that the table of kinds asks for, one rule for each group and set of verbs."""
    return _rules_of([*((kind.group, kind.plural, kind.verbs) for kind in kinds.ALL), *_SUBRESOURCES])


def _rules_of(wanted: Iterable[tuple[str, str, tuple[str, ...]]]) -> list[dict[str, Any]]:
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


def _deployment(namespace: str, image: str, app_image: str, replicas: int, watched: Sequence[str]) -> Manifest:
    selector = {APP_NAME: NAME}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(namespace),
        "spec": {
            "replicas": replicas,
            # The Lease keeps them from working at the same time; one that waits takes over at once.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
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
                    "containers": [_container(image, app_image, watched)],
                    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
                },
            },
        },
    }


def _container(image: str, app_image: str, watched: Sequence[str]) -> Manifest:
    return {
        "name": "operator",
        "image": image,
        "command": [NAME, "run", *(f"--namespace={name}" for name in watched)],
        "env": [
            {"name": "APP_IMAGE", "value": app_image},
            {"name": "LISTEN_PORT", "value": str(PORT)},
            {"name": "LEADER_ELECTION", "value": "true"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the mount point of the pod's own directory
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {  # measured: 85 MiB, and 0.5 MiB for each resource; 270 MiB with 400
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "512Mi"},
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
