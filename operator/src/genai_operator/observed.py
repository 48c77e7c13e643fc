"""What one reconcile has seen of one instance, as plain values: the input of every decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType

from genai_operator.api.database import MigrationMode
from genai_operator.api.genaiauto import GenAIAuto, Metadata
from genai_operator.desired.context import Context, Images, Running
from genai_operator.desired.jobs import administrator_of, migration_name
from genai_operator.manifests import Manifest, ObjectKey, dig, digest, key_of
from genai_operator.naming import APP_VERSION, COMPONENT, CONFIG_HASH, OPERATOR_NAMESPACE, Component, Names


@dataclass(frozen=True)
class Report:
    """What a pod of the API says. Money is in USD, rounded to cents; a limit of None is none.

    database_bytes: size of the database without its write-ahead log; None: it does not know.
    """

    llm_reachable: bool = True
    spent_hour: Decimal = Decimal(0)
    spent_month: Decimal = Decimal(0)
    limit_hour: Decimal | None = None
    limit_month: Decimal | None = None
    warning: Decimal | None = None
    database_bytes: int | None = None

    @property
    def hour_is_spent(self) -> bool:
        """Whether the hour's limit is reached."""
        return self.limit_hour is not None and self.spent_hour >= self.limit_hour

    @property
    def month_is_spent(self) -> bool:
        """Whether the month's limit is reached."""
        return self.limit_month is not None and self.spent_month >= self.limit_month

    @property
    def is_above_warning(self) -> bool:
        """Whether a warning is due in this hour."""
        return self.warning is not None and self.spent_hour >= self.warning > 0


@dataclass(frozen=True)
class Maintenance:
    """Whether a maintenance window is open now, when the next one begins, and the seconds until either changes."""

    is_open: bool
    opening: str
    changes_in: float


@dataclass(frozen=True)
class Observed:
    """One instance and its children.

    resource: None when its spec cannot be read; `problems` says why.
    foreign_secrets: hashes of the Secrets that the spec refers to, by name; a missing key or Secret is in `problems`.
    warnings: the newest warning event of an object that is stuck.
    refusals: objects that the API server did not accept in this reconcile, with its words.
    served: names of the optional kinds that the API server has.
    missing_fields: our fields that the API server's definition lacks.
    foreign_cluster: the Cluster of CloudNativePG that the spec refers to, when it is somebody else's.
    maintenance: what the maintenance windows come to now; None without any.
    report: what the API says of itself; None: nothing yet.
    operator_namespace: where the operator runs.
    """

    metadata: Metadata
    resource: GenAIAuto | None
    images: Images
    status: Manifest = field(default_factory=dict)
    children: Mapping[ObjectKey, Manifest] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[str, ...] = ()
    foreign_secrets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: Mapping[ObjectKey, str] = field(default_factory=lambda: MappingProxyType({}))
    refusals: tuple[tuple[ObjectKey, str], ...] = ()
    served: frozenset[str] = frozenset()
    missing_fields: tuple[str, ...] = ()
    foreign_cluster: Manifest | None = None
    maintenance: Maintenance | None = None
    report: Report | None = None
    operator_namespace: str = OPERATOR_NAMESPACE

    @property
    def names(self) -> Names:
        """The names of the instance's objects."""
        return Names(self.metadata.name)

    @cached_property
    def context(self) -> Context:
        """The facts that the builders need. Raises ValueError for a resource that cannot be read."""
        if self.resource is None:
            raise ValueError(f"{self.metadata.name} cannot be read: {self.problems}")
        return _context(self, self.resource)

    def child(self, kind: str, name: str) -> Manifest | None:
        """A child as it is in the cluster."""
        return self.children.get(ObjectKey(kind, name))

    def warning(self, kind: str, name: str) -> str:
        """The newest bad news of an object that is stuck; empty when there is none."""
        return self.warnings.get(ObjectKey(kind, name), "")

    def pods(self, component: Component) -> tuple[Manifest, ...]:
        """The pods of one component, in order of name."""
        return self._of("Pod", component)

    def jobs(self, component: Component) -> tuple[Manifest, ...]:
        """The Jobs of one component, in order of name."""
        return self._of("Job", component)

    def _of(self, kind: str, component: Component) -> tuple[Manifest, ...]:
        found = (item for key, item in self.children.items() if key.kind == kind)
        ours = (item for item in found if dig(item, "metadata", "labels", COMPONENT) == component.value)
        return tuple(sorted(ours, key=lambda item: str(item["metadata"]["name"])))

    def with_objects(self, changed: tuple[Manifest, ...], gone: tuple[ObjectKey, ...] = ()) -> "Observed":
        """The same after some writes."""
        children = {**self.children, **{key_of(item): item for item in changed}}
        return replace(self, children=MappingProxyType({k: v for k, v in children.items() if k not in gone}))


def job_succeeded(job: Manifest | None) -> bool:
    """Whether a Job has done its work."""
    return job_condition(job, "Complete") is not None


def job_condition(job: Manifest | None, kind: str) -> Manifest | None:
    """A condition of a Job, when it is true."""
    for condition in dig(job, "status", "conditions", default=[]):
        if condition["type"] == kind and condition["status"] == "True":
            found: Manifest = condition
            return found
    return None


def _context(observed: Observed, app: GenAIAuto) -> Context:
    names = observed.names
    ctx = Context(
        images=observed.images,
        secrets={**_secret_hashes(observed), **observed.foreign_secrets},
        seeded=any(job_succeeded(job) for job in observed.jobs(Component.SEED)),
        administrators=frozenset(
            administrator_of(job) for job in observed.jobs(Component.ADMIN) if job_succeeded(job)
        ),
        claim_template_size=dig(
            observed.child("StatefulSet", names.database),
            "spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage",
            default="",
        ),
        live_replicas=dig(observed.child("Deployment", names.api), "spec", "replicas"),
        served=observed.served,
        kept=_kept(observed),
        operator_namespace=observed.operator_namespace,
    )  # fmt: skip
    if app.spec.database.migrations.mode is MigrationMode.MANUAL:
        return ctx  # the new pods wait for the schema themselves
    migrated = job_succeeded(observed.child("Job", migration_name(app, ctx)))
    return replace(ctx, held=None if migrated else _held(observed, app))


def _kept(observed: Observed) -> frozenset[Component]:
    """Whose pods wait for a maintenance window: those that serve, unless their rollout began in one."""
    if observed.maintenance is None or observed.maintenance.is_open:
        return frozenset()
    names = observed.names
    workloads = {
        Component.API: observed.child("Deployment", names.api),
        Component.DATABASE: observed.child("StatefulSet", names.database),
        Component.CACHE: observed.child("Deployment", names.redis),
    }
    if not _serves(workloads[Component.API]):
        return frozenset()  # nobody would be disturbed, and what is wrong may need new pods of anything
    return frozenset(
        component
        for component, workload in workloads.items()
        if workload is not None and _serves(workload) and (_keeps(workload) or rolled_out(workload))
    )


def _serves(workload: Manifest | None) -> bool:
    return bool(dig(workload, "status", "availableReplicas", default=0) > 0)


def _keeps(workload: Manifest) -> bool:
    partition = dig(workload, "spec", "updateStrategy", "rollingUpdate", "partition", default=0)
    return bool(dig(workload, "spec", "paused", default=False) or partition > 0)


def rolled_out(workload: Manifest | None) -> bool:
    """Whether the controller has seen the newest specification, and as many pods of it as wanted are ready."""
    seen = dig(workload, "status", "observedGeneration", default=0)
    if workload is None or seen < workload["metadata"]["generation"]:
        return False
    status, wanted = workload.get("status", {}), dig(workload, "spec", "replicas", default=1)
    if workload["kind"] == "StatefulSet":
        return bool(status.get("currentRevision") == status.get("updateRevision"))
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def running(observed: Observed) -> Running | None:
    """What the API's Deployment asks for now."""
    template = dig(observed.child("Deployment", observed.names.api), "spec", "template")
    if template is None:
        return None
    annotations = dig(template, "metadata", "annotations", default={})
    return Running(
        image=dig(template, "spec", "containers", 0, "image", default=""),
        version=annotations.get(APP_VERSION, ""),
        config_hash=annotations.get(CONFIG_HASH, ""),
    )


def _held(observed: Observed, app: GenAIAuto) -> Running | None:
    """At the first install, and while the image stays the same, nothing holds the API back."""
    now = running(observed)
    return now if now is not None and now.image != observed.images.app_of(app) else None


def _secret_hashes(observed: Observed) -> dict[str, str]:
    return {key.name: digest(item["hashes"]) for key, item in observed.children.items() if key.kind == "Secret"}
