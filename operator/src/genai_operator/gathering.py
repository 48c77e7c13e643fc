"""Looks at everything that a reconcile must know, and decides nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto, Metadata
from genai_operator.api.rules import broken_rules
from genai_operator.applying import Wanted
from genai_operator.cluster import Cluster
from genai_operator.desired.context import Images
from genai_operator.diagnosis import stuck
from genai_operator.errors import Refused
from genai_operator.foreign_secrets import References, look_up
from genai_operator.kinds import EVENT, GENAI_AUTO, POSTGRES_CLUSTER
from genai_operator.maintenance import look
from genai_operator.manifests import Manifest, ObjectKey, Ref
from genai_operator.memo import Memo
from genai_operator.naming import OPERATOR_NAMESPACE
from genai_operator.observed import Observed, Report
from genai_operator.store import Store

PATIENCE_SECONDS: Final = 10
"""A new object gets this long before its events are read: most need no explanation."""


def _no_report(instance: Ref) -> Report | None:
    del instance
    return None


@dataclass(frozen=True)
class Sources:
    """Where to look: the store for the resource and its children, the cluster for what was not seen lately.

    references: which Secrets each instance refers to, as this process has seen it.
    served: tells which optional kinds there are now.
    outdated: tells which of our fields the API server's definition lacks.
    report: what an instance's API says of itself.
    read, built: resources and their objects as they were read and built last.
    """

    cluster: Cluster
    store: Store
    images: Images
    references: References
    served: Callable[[], frozenset[str]] = frozenset
    outdated: Callable[[], tuple[str, ...]] = tuple
    report: Callable[[Ref], Report | None] = _no_report
    operator_namespace: str = OPERATOR_NAMESPACE
    read: Memo[tuple[GenAIAuto | None, tuple[str, ...]]] = field(default_factory=Memo)
    built: Memo[tuple[Wanted, ...]] = field(default_factory=Memo)


async def observe(sources: Sources, ref: Ref) -> Observed | None:
    """One instance; None when it is gone or going, so that the garbage collector has its way."""
    live = sources.store.resource(ref) or await _asked(sources, ref)
    if live is None or "deletionTimestamp" in live["metadata"]:
        sources.references.keep(ref, ())
        return None
    metadata = live["metadata"]
    version = (metadata["uid"], metadata["generation"], metadata.get("annotations"))
    app, problems = sources.read.of(ref, version, lambda: read_resource(live))
    secrets: Mapping[str, str] = {}
    if app is not None and not problems:
        secrets, problems = await look_up(sources.cluster, sources.references, app)
    now = datetime.now(UTC)
    observed = Observed(
        metadata=Metadata.model_validate(metadata),
        resource=app,
        images=sources.images,
        status=live.get("status", {}),
        children=sources.store.children(ref),
        problems=problems,
        foreign_secrets=secrets,
        served=sources.served(),
        missing_fields=sources.outdated(),
        foreign_cluster=await foreign_cluster(sources, app) if app is not None else None,
        report=sources.report(ref),
        operator_namespace=sources.operator_namespace,
        maintenance=look(app.spec.maintenance_windows, now) if app is not None else None,
    )
    return await with_warnings(sources.cluster, observed, now)


async def _asked(sources: Sources, ref: Ref) -> Manifest | None:
    """The resource from the API server."""
    live = await sources.cluster.get(GENAI_AUTO, ref)
    if live is None:
        sources.store.forget_resource(ref)
    else:
        sources.store.update_resource(live)
    return live


async def foreign_cluster(sources: Sources, app: GenAIAuto) -> Manifest | None:
    """Somebody else's Cluster of CloudNativePG, when the spec refers to one and the kind is there."""
    ref = app.spec.database.cloud_native_pg.cluster_ref
    wanted = app.spec.database.mode is DatabaseMode.CLOUD_NATIVE_PG and POSTGRES_CLUSTER.name in sources.served()
    if ref is None or not wanted:
        return None
    return await sources.cluster.get(POSTGRES_CLUSTER, Ref(app.metadata.namespace, ref.name))


def read_resource(live: Manifest) -> tuple[GenAIAuto | None, tuple[str, ...]]:
    """The resource, and what is wrong with it: the same rules as the CRD's, for a server that has an older one."""
    try:
        app = GenAIAuto.model_validate(live)
    except ValidationError as error:
        return None, tuple(
            f"{'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}" for problem in error.errors()
        )
    return app, broken_rules(app)


async def with_warnings(cluster: Cluster, observed: Observed, now: datetime) -> Observed:
    """Add the newest bad news of each stuck object: only events tell why a pod was never created."""
    warnings: dict[ObjectKey, str] = {}
    for key in stuck(observed):
        if _age(observed.children[key], now) < PATIENCE_SECONDS:
            continue
        fields = f"involvedObject.kind={key.kind},involvedObject.name={key.name}"
        try:
            events, _ = await cluster.list(EVENT, observed.metadata.namespace, fields=fields)
        except Refused as error:
            warnings[key] = f"its events cannot be read: {error}"
            continue
        bad = [event for event in events if _is_bad_news(event)]
        if bad:
            newest = max(bad, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
            warnings[key] = str(newest.get("message", ""))
    return replace(observed, warnings=warnings) if warnings else observed


def _is_bad_news(event: Manifest) -> bool:
    """A claim that finds no volume says so in an event of type Normal."""
    return event.get("type") == "Warning" or str(event.get("reason", "")).startswith("Failed")


def _age(item: Manifest, now: datetime) -> float:
    return (now - datetime.fromisoformat(item["metadata"]["creationTimestamp"])).total_seconds()
