"""Writes what differs between the wanted and the live objects, and nothing else."""

from dataclasses import dataclass, field
from typing import Final

import structlog

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.cluster import Cluster
from genai_operator.desired.volume import used_percent, wanted_size
from genai_operator.errors import Conflict, NotFound, Refused
from genai_operator.kinds import BY_NAME, PRUNED, VOLUME_CLAIM
from genai_operator.manifests import Manifest, ObjectKey, Ref, covers, dig, digest, key_of
from genai_operator.naming import COMPONENT, DESIRED_HASH, ONCE
from genai_operator.observed import Observed, job_succeeded
from genai_operator.quantities import parse
from genai_operator.repairing import port_repair
from genai_operator.store import Store, slim

_PRUNED: Final = frozenset(kind.name for kind in PRUNED)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wanted:
    """An object as it is applied: `body` with the hash of all that is asked for, and `replicas` apart."""

    key: ObjectKey
    body: Manifest
    hash: str
    replicas: int | None


@dataclass
class Applied:
    """What one reconcile wrote, and what the API server refused."""

    changed: list[Manifest] = field(default_factory=list)
    refused: list[tuple[ObjectKey, str]] = field(default_factory=list)


async def apply_changed(cluster: Cluster, store: Store, wanted: tuple[Wanted, ...], observed: Observed) -> Applied:
    """Apply every object that differs, in order. One that is refused does not keep the others from being applied."""
    applied, namespace = Applied(), observed.metadata.namespace
    for one in wanted:
        key, live = one.key, observed.children.get(one.key)
        if live is not None and store.is_settled(namespace, live, one.hash):
            continue
        try:
            result = await _apply_one(cluster, one, live, observed.metadata.uid)
        except NotFound:
            raise  # the namespace or the kind is gone: nothing else would succeed
        except Refused as error:
            log.warning("apply.refused", kind=key.kind, name=key.name, error=str(error))
            applied.refused.append((key, str(error)))
            continue
        if result is not None:
            store.put(result)
            applied.changed.append(slim(result))
        elif live is not None:
            store.settle(namespace, live, one.hash)
    if applied.changed:
        log.info("applied", objects=[f"{item['kind']}/{item['metadata']['name']}" for item in applied.changed])
    return applied


async def _apply_one(cluster: Cluster, wanted: Wanted, live: Manifest | None, uid: str) -> Manifest | None:
    """Apply one object if it differs: everything but `replicas` first, then `replicas` by its own field manager."""
    body, replicas = wanted.body, wanted.replicas
    result = None
    if live is None:
        result = live = await _create(cluster, body, uid)
    elif differs(body, live):
        if patch := port_repair(body, live):
            ref = Ref(body["metadata"]["namespace"], body["metadata"]["name"])
            await cluster.strategic_patch(BY_NAME[body["kind"]], ref, patch)
        result = live = await cluster.apply(body, force=True)
    if replicas is not None and dig(live, "spec", "replicas") != replicas:
        result = await cluster.apply_replicas(body, replicas)
    return result


async def _create(cluster: Cluster, body: Manifest, uid: str) -> Manifest:
    """Apply an object that was not seen. If somebody else's has the name, leave it alone, unless it was ours before."""
    try:
        return await cluster.apply(body, force=False)
    except Conflict as conflict:
        ref = Ref(body["metadata"]["namespace"], body["metadata"]["name"])
        live = await cluster.get(BY_NAME[body["kind"]], ref)
        owners = dig(live, "metadata", "ownerReferences", default=[])
        if live is not None and not any(owner["uid"] == uid for owner in owners):
            raise Refused(
                f"it exists and does not belong to this resource: delete or rename it, or choose another name for the "
                f"resource ({conflict})"
            ) from conflict
        return await cluster.apply(body, force=True)


def stamped(manifest: Manifest) -> Wanted:
    """A built object as it is applied."""
    replicas: int | None = dig(manifest, "spec", "replicas")
    body = manifest
    if replicas is not None:
        body = {**manifest, "spec": {key: value for key, value in manifest["spec"].items() if key != "replicas"}}
    stamp = digest(body)
    annotations = {**dig(body, "metadata", "annotations", default={}), DESIRED_HASH: stamp}
    body = {**body, "metadata": {**body["metadata"], "annotations": annotations}}
    return Wanted(key_of(manifest), body, f"{stamp}/{replicas}", replicas)


def differs(body: Manifest, live: Manifest) -> bool:
    """Whether a stamped object must be applied: something is other than wanted, or wanted no longer (the hash)."""
    return not covers(live, body)


async def grow_volume(cluster: Cluster, observed: Observed, app: GenAIAuto) -> Applied:
    """Grow the database's volume when the specification, or its filling up, asks for more than it has."""
    applied = Applied()
    claim = observed.child("PersistentVolumeClaim", observed.names.database_claim)
    used = used_percent(app, claim, observed.report.database_bytes if observed.report else None)
    size = wanted_size(app, claim, used)
    if app.spec.database.mode is not DatabaseMode.MANAGED or claim is None or not needs_growth(claim, size):
        return applied
    ref = Ref(observed.metadata.namespace, observed.names.database_claim)
    try:
        patch = {"spec": {"resources": {"requests": {"storage": size}}}}
        applied.changed.append(slim(await cluster.merge_patch(VOLUME_CLAIM, ref, patch)))
    except Refused as error:
        applied.refused.append((ObjectKey("PersistentVolumeClaim", ref.name), str(error)))
    return applied


def needs_growth(claim: Manifest, size: str) -> bool:
    """Only a bound claim can grow."""
    asked = dig(claim, "spec", "resources", "requests", "storage", default="0")
    return dig(claim, "status", "phase") == "Bound" and parse(asked) < parse(size)


async def prune(
    cluster: Cluster, store: Store, wanted: tuple[ObjectKey, ...], observed: Observed
) -> tuple[ObjectKey, ...]:
    """Delete what the resource no longer asks for."""
    gone = superfluous(wanted, observed)
    for key in gone:
        await cluster.delete(BY_NAME[key.kind], Ref(observed.metadata.namespace, key.name))
        store.remove(observed.children[key])
        log.info("pruned", kind=key.kind, name=key.name)
    return gone


def superfluous(wanted: tuple[ObjectKey, ...], observed: Observed) -> tuple[ObjectKey, ...]:
    """Objects of this resource's own that it does not ask for; what runs once and succeeded stays as proof of it."""
    kept = frozenset(wanted)
    found = (
        key
        for key, item in observed.children.items()
        if key.kind in _PRUNED
        and key not in kept
        and any(owner["uid"] == observed.metadata.uid for owner in item["metadata"].get("ownerReferences", ()))
        and not (dig(item, "metadata", "labels", COMPONENT) in ONCE and job_succeeded(item))
    )
    return tuple(sorted(found))
