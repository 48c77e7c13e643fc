"""Writes the status when it changed, and an Event when a condition that people care about flips."""

from datetime import UTC, datetime
from typing import Final

from genai_operator.api.status import ApiStatus, Condition, Status
from genai_operator.cluster import Cluster
from genai_operator.conditions.verdict import Verdict
from genai_operator.kinds import GENAI_AUTO, NEW_EVENT
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import FIELD_MANAGER, Component
from genai_operator.observed import Observed
from genai_operator.status import Assessment
from genai_operator.store import Store

_TOLD: Final = {"Ready": "Normal", "Degraded": "Warning", "ConfigurationValid": "Warning"}
"""Conditions whose flips are Events, and the type of event for the state that is worth a note by itself."""
_EVENT_LENGTH: Final = 1000


async def write_status(cluster: Cluster, store: Store, observed: Observed, assessment: Assessment) -> bool:
    """Write the status if it differs from the one that is there. Returns whether it did."""
    now = datetime.now(UTC)
    status = status_document(observed, assessment, now)
    if status == observed.status:
        return False
    metadata = observed.metadata
    manifest = {
        "apiVersion": GENAI_AUTO.api_version,
        "kind": GENAI_AUTO.name,
        "metadata": {"name": metadata.name, "namespace": metadata.namespace},
        "status": status,
    }
    store.update_resource(await cluster.apply_status(manifest))
    for kind, verdict in (*flips(observed.status, assessment), *unheard(observed, assessment)):
        await cluster.create(event(observed, kind, verdict, now), NEW_EVENT)
    return True


def status_document(observed: Observed, assessment: Assessment, now: datetime) -> Manifest:
    """The status as it is written. A condition's time changes only when its status does."""
    before = {condition["type"]: condition for condition in observed.status.get("conditions", ())}
    generation = observed.metadata.generation
    selector = observed.names.selector(Component.API)
    status = Status(
        observed_generation=generation,
        phase=assessment.phase,
        message=assessment.message,
        url=assessment.url,
        version=assessment.version,
        api=ApiStatus(
            replicas=assessment.api_replicas,
            ready=assessment.api_ready,
            selector=",".join(f"{key}={value}" for key, value in selector.items()),
            requested=assessment.api_requested,
        ),
        effective=assessment.effective,
        llm=assessment.llm,
        database=assessment.database,
        redis=assessment.redis,
        conditions=tuple(
            Condition(
                type=kind,
                status=verdict.status,
                reason=verdict.reason,
                message=verdict.message,
                observed_generation=generation,
                last_transition_time=_since(before.get(kind), verdict, now),
            )
            for kind, verdict in assessment.conditions.items()
        ),
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _since(before: Manifest | None, verdict: Verdict, now: datetime) -> str:
    if before is not None and before["status"] == verdict.status:
        return str(before["lastTransitionTime"])
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def flips(status: Manifest, assessment: Assessment) -> tuple[tuple[str, Verdict], ...]:
    """Conditions that are told as Events: those that changed, and bad news at the first look."""
    before = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    quiet_start = {"Ready": "False", "Degraded": "False", "ConfigurationValid": "True"}
    return tuple(
        (kind, assessment.conditions[kind])
        for kind in _TOLD
        if assessment.conditions[kind].status != before.get(kind, quiet_start[kind])
    )


def unheard(observed: Observed, assessment: Assessment) -> tuple[tuple[str, Verdict], ...]:
    """An answer to `kubectl scale` while the load decides: it changed a number that does not count now."""
    before = dig(observed.status, "api", "requested")
    scaler = assessment.effective
    if before in (None, assessment.api_requested) or scaler is None or scaler.autoscaler == "None":
        return ()
    text = (
        f"api.replicas {assessment.api_requested} does not count while autoscaling is on: {scaler.autoscaler} keeps "
        f"{scaler.min_replicas} to {scaler.max_replicas} pods; set api.autoscaling.minReplicas, or mode to Disabled"
    )
    return (("Scaled", Verdict.wait("ScaleIgnored", text)),)


def event(observed: Observed, kind: str, verdict: Verdict, now: datetime) -> Manifest:
    """An Event about the resource."""
    metadata = observed.metadata
    good = (verdict.status == "True") == (kind != "Degraded")
    return {
        "apiVersion": NEW_EVENT.api_version,
        "kind": "Event",
        "metadata": {"generateName": f"{metadata.name}-", "namespace": metadata.namespace},
        "type": "Normal" if good else "Warning",
        "reason": verdict.reason,
        "action": f"{kind}{verdict.status}",
        "note": f"{kind} is {verdict.status}: {verdict.message}"[:_EVENT_LENGTH],
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": "genai-auto.dev/operator",
        "reportingInstance": FIELD_MANAGER,
        "regarding": {
            "apiVersion": GENAI_AUTO.api_version,
            "kind": GENAI_AUTO.name,
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
    }
