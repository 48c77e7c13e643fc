"""Every Kubernetes kind that the operator touches: where it is served, and the rights that the operator needs on it.

`cluster.py` builds paths from this table, `gathering.py` chooses what to watch, `install.py` derives the ClusterRole.
"""

from dataclasses import dataclass
from typing import Final

GROUP: Final = "genai-auto.dev"
VERSION: Final = "v1alpha1"


@dataclass(frozen=True)
class Kind:
    """One kind; `verbs` are the operator's rights, `child` says whether instances own objects of it.

    optional: served only where somebody has installed its CRD.
    """

    api_version: str
    name: str
    plural: str
    verbs: tuple[str, ...]
    child: bool = False
    optional: bool = False

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """The URL path of one object, or of the collection; `namespace` None is all namespaces."""
        root = "/apis/" if "/" in self.api_version else "/api/"
        parts = [root + self.api_version]
        if namespace:
            parts += ["namespaces", namespace]
        return "/".join(part for part in (*parts, self.plural, name, subresource) if part)


_READ: Final = ("get", "list", "watch")
_KEEP: Final = (*_READ, "create", "patch")
_OWN: Final = (*_KEEP, "delete")

GENAI_AUTO: Final = Kind(f"{GROUP}/{VERSION}", "GenAIAuto", "genaiautos", _READ)
SECRET: Final = Kind("v1", "Secret", "secrets", _OWN, child=True)
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps", _OWN, child=True)
SERVICE: Final = Kind("v1", "Service", "services", _OWN, child=True)
SERVICE_ACCOUNT: Final = Kind("v1", "ServiceAccount", "serviceaccounts", _KEEP, child=True)
STATEFUL_SET: Final = Kind("apps/v1", "StatefulSet", "statefulsets", _KEEP, child=True)
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments", _OWN, child=True)
JOB: Final = Kind("batch/v1", "Job", "jobs", _OWN, child=True)
POD: Final = Kind("v1", "Pod", "pods", _READ, child=True)
VOLUME_CLAIM: Final = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", (*_READ, "patch"), child=True)
AUTOSCALER: Final = Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", _OWN, child=True)
DISRUPTION_BUDGET: Final = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", _OWN, child=True)
INGRESS: Final = Kind("networking.k8s.io/v1", "Ingress", "ingresses", _OWN, child=True)
NETWORK_POLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", _OWN, child=True)
SCALED_OBJECT: Final = Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects", _OWN, child=True, optional=True)
HTTP_ROUTE: Final = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", _OWN, child=True, optional=True)
CERTIFICATE: Final = Kind("cert-manager.io/v1", "Certificate", "certificates", _OWN, child=True, optional=True)
POSTGRES_CLUSTER: Final = Kind("postgresql.cnpg.io/v1", "Cluster", "clusters", _KEEP, child=True, optional=True)
_MONITORING: Final = "monitoring.coreos.com"
SERVICE_MONITOR: Final = Kind(f"{_MONITORING}/v1", "ServiceMonitor", "servicemonitors", _OWN, child=True, optional=True)
PROMETHEUS_RULE: Final = Kind(f"{_MONITORING}/v1", "PrometheusRule", "prometheusrules", _OWN, child=True, optional=True)
ALERTMANAGER_CONFIG: Final = Kind(
    f"{_MONITORING}/v1alpha1", "AlertmanagerConfig", "alertmanagerconfigs", _OWN, child=True, optional=True
)
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases", ("get", "create", "update"))
"""In the operator's own namespace only, so it is not among ALL, whose rights go for every watched namespace."""
DEFINITION: Final = Kind(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", ("get", "list", "watch")
)
"""Of the cluster; looked at where the operator may."""
EVENT: Final = Kind("v1", "Event", "events", ("list",))
NEW_EVENT: Final = Kind("events.k8s.io/v1", "Event", "events", ("create",))

ALL: Final = (
    GENAI_AUTO,
    SECRET,
    CONFIG_MAP,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    DEPLOYMENT,
    JOB,
    POD,
    VOLUME_CLAIM,
    AUTOSCALER,
    DISRUPTION_BUDGET,
    INGRESS,
    NETWORK_POLICY,
    SCALED_OBJECT,
    HTTP_ROUTE,
    CERTIFICATE,
    POSTGRES_CLUSTER,
    SERVICE_MONITOR,
    PROMETHEUS_RULE,
    ALERTMANAGER_CONFIG,
    EVENT,
    NEW_EVENT,
)
BY_NAME: Final = {kind.name: kind for kind in ALL if kind is not EVENT}
CHILDREN: Final = tuple(kind for kind in ALL if kind.child and not kind.optional)
OPTIONAL: Final = tuple(kind for kind in ALL if kind.optional)
PRUNED: Final = tuple(kind for kind in ALL if kind.child and "delete" in kind.verbs)
"""What goes away when the resource no longer asks for it. Never a volume, never the database."""
