"""Every object name, label and annotation of an instance, spelled once.

Instance names have at most 40 characters (the CRD says so), suffixes at most 12: no child's name exceeds 52, the limit
for a CronJob, and every pod name fits into a label.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from genai_operator.kinds import GROUP

MAX_INSTANCE_NAME: Final = 40
MAX_CHILD_NAME: Final = 52

OPERATOR_NAME: Final = "genai-auto-operator"
OPERATOR_NAMESPACE: Final = "genai-auto-system"
"""Where the operator is, unless somebody installs it elsewhere."""
FIELD_MANAGER: Final = OPERATOR_NAME
LEASE_NAME: Final = OPERATOR_NAME
"""The Lease that says which operator works."""
SCALE_MANAGER: Final = "genai-auto-operator-scale"
"""Applies `replicas` and nothing else, so that an autoscaler can take that field over without a dip."""

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
INSTANCE: Final = "app.kubernetes.io/instance"
COMPONENT: Final = "app.kubernetes.io/component"
APP_NAME: Final = "app.kubernetes.io/name"
PART_OF: Final = "app.kubernetes.io/part-of"
PRODUCT: Final = "genai-auto"
CHILD_SELECTOR: Final = f"{MANAGED_BY}={FIELD_MANAGER}"

DESIRED_HASH: Final = f"{GROUP}/desired-hash"
"""On every applied object: the hash of what the operator asked for. It differs when a field was removed from that."""
CONFIG_HASH: Final = f"{GROUP}/config-hash"
"""On pod templates: the hash of settings and secrets. A change rolls the pods."""
APP_VERSION: Final = f"{GROUP}/app-version"
GENERATED: Final = f"{GROUP}/generated"
"""On Secrets that the operator made. One that a person made beforehand is used, and never owned or deleted."""

PAUSE_ROLLOUTS: Final = f"{GROUP}/pause-rollouts"
"""On the resource, `"true"`: pods are not replaced; everything else goes on."""
RESTARTED_AT: Final = f"{GROUP}/restartedAt"
"""On the resource, any text: another one replaces the API's pods."""
RECONCILE: Final = f"{GROUP}/reconcile"
"""On the resource, `disabled`: nothing is changed, whatever the specification says."""

CERTIFICATE_HOST: Final = f"{GROUP}/certificate-host"
CERTIFICATE_UNTIL: Final = f"{GROUP}/certificate-until"
"""On the Secret of a self-signed certificate: whom it names, and the moment (ISO 8601) after which it is void."""


class Component(StrEnum):
    """The parts of an instance, as the component label says them."""

    API = "api"
    DATABASE = "database"
    CACHE = "cache"
    MIGRATION = "migration"
    SEED = "seed"
    ADMIN = "admin"
    CHECK = "check"
    CONFIG = "config"
    EDGE = "edge"
    MONITORING = "monitoring"
    PGADMIN = "pgadmin"


ONCE: Final = frozenset({Component.SEED, Component.ADMIN})
"""Their Jobs never run again once they have succeeded, and stay as the proof of it."""


@dataclass(frozen=True)
class Names:
    """The names of everything that belongs to the instance `instance`."""

    instance: str

    @property
    def service_account(self) -> str:
        """The account of every pod; it has no rights and no token."""
        return self.instance

    @property
    def api(self) -> str:
        """Deployment and Service of the agent API."""
        return f"{self.instance}-api"

    @property
    def config(self) -> str:
        """ConfigMap with the public settings of the app."""
        return f"{self.instance}-config"

    @property
    def auth(self) -> str:
        """Secret with the key that signs tokens."""
        return f"{self.instance}-auth"

    @property
    def database(self) -> str:
        """StatefulSet, Service and Secret of the database."""
        return f"{self.instance}-database"

    @property
    def database_scripts(self) -> str:
        """ConfigMap with the start script and the configuration of the database."""
        return f"{self.instance}-db-config"

    @property
    def database_claim(self) -> str:
        """The claim that the StatefulSet makes for the only database pod."""
        return f"data-{self.database}-0"

    @property
    def redis(self) -> str:
        """Deployment, Service and Secret of Redis."""
        return f"{self.instance}-redis"

    @property
    def redis_scripts(self) -> str:
        """ConfigMap with the start script of Redis."""
        return f"{self.instance}-redis-conf"

    @property
    def nowhere(self) -> str:
        """Service without pods: where an ingress leads what nobody may reach from outside."""
        return f"{self.instance}-nowhere"

    @property
    def redirect(self) -> str:
        """HTTPRoute from HTTP to HTTPS."""
        return f"{self.instance}-redirect"

    @property
    def tls(self) -> str:
        """Secret with the certificate, and the Certificate that fills it."""
        return f"{self.instance}-tls"

    @property
    def dashboards(self) -> str:
        """ConfigMap with Grafana's dashboards."""
        return f"{self.instance}-dashboards"

    @property
    def pgadmin(self) -> str:
        """Deployment, Service, ConfigMap and Secret of pgAdmin."""
        return f"{self.instance}-pgadmin"

    @property
    def jobs(self) -> str:
        """NetworkPolicy of the Jobs."""
        return f"{self.instance}-jobs"

    def migration(self, digest: str) -> str:
        """The Job that brings the schema up to date; one name per pod template, because a Job's is immutable."""
        return f"{self.instance}-mig-{digest[:7]}"

    def check(self, digest: str) -> str:
        """The Job that looks whether somebody else's database will do."""
        return f"{self.instance}-check-{digest[:5]}"

    def seed(self, digest: str) -> str:
        """The Job that loads the sample knowledge base."""
        return f"{self.instance}-seed-{digest[:6]}"

    @property
    def admin(self) -> str:
        """Secret with the first password of the administrator."""
        return f"{self.instance}-admin"

    def admin_job(self, digest: str) -> str:
        """The Job that makes the administrator."""
        return f"{self.admin}-{digest[:5]}"

    def selector(self, component: Component) -> dict[str, str]:
        """Labels that choose the pods of one component. Immutable once deployed."""
        return {APP_NAME: PRODUCT, INSTANCE: self.instance, COMPONENT: component.value}

    def labels(self, component: Component) -> dict[str, str]:
        """Labels of an object of one component."""
        return {**self.selector(component), PART_OF: PRODUCT, MANAGED_BY: FIELD_MANAGER}
