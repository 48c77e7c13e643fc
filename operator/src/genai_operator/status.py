"""The summary of an instance, decided from its conditions: ready, progressing, degraded, and the phase."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.api.status import Phase
from genai_operator.conditions import CHECKS
from genai_operator.conditions.verdict import Verdict
from genai_operator.diagnosis import (
    first_problem,
    job_problem,
    replica_failure,
)
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import Component
from genai_operator.observed import Observed, context, running

OFFLINE_MODEL: Final = "offline"
"""In place of a model's name: answers are extracted from the knowledge base."""
NEEDED: Final = ("DatabaseReady", "SchemaUpToDate", "ApiAvailable")
"""What Ready needs. Without the cache the service works, slower and without rate limits: that is Degraded."""


@dataclass(frozen=True)
class Assessment:
    """Everything that the status says."""

    phase: Phase
    message: str
    conditions: Mapping[str, Verdict]
    version: str
    model: str
    api_replicas: int
    api_ready: str


def assess(observed: Observed) -> Assessment:
    """Decide every condition; Ready, Progressing and Degraded sum the others up."""
    app = observed.resource
    if app is None or observed.problems:
        return _invalid(observed)
    verdicts = {name: check(observed, app) for name, check in CHECKS}
    degraded = _degraded(observed, app, verdicts)
    progressing = _progressing(observed, app, verdicts, degraded)
    ready = _ready_verdict(app, verdicts, progressing)
    deployment = observed.child("Deployment", observed.names.api)
    now = running(observed)
    return Assessment(
        phase=_phase(app, ready, degraded),
        message=_message(ready, degraded),
        conditions={
            "Ready": ready,
            "Progressing": progressing,
            "Degraded": degraded,
            "ConfigurationValid": Verdict.yes("Valid", "the specification is valid"),
            **verdicts,
        },
        model=OFFLINE_MODEL if app.spec.llm.provider is Provider.OFFLINE else app.spec.llm.model,
        version=now.version if now and ready.status == "True" else dig(observed.status, "version", default=""),
        api_replicas=dig(deployment, "status", "replicas", default=0),
        api_ready=f"{dig(deployment, 'status', 'readyReplicas', default=0)}/{app.spec.api.replicas}",
    )


def _invalid(observed: Observed) -> Assessment:
    """Nothing is changed while the specification is wrong; what runs goes on."""
    message = "; ".join(observed.problems)
    unknown = Verdict.unknown("ConfigurationInvalid", "not looked at: the specification is not valid")
    return Assessment(
        phase=Phase.INVALID,
        message=message,
        conditions={
            "Ready": Verdict.wait("ConfigurationInvalid", message),
            "Progressing": Verdict.wait("ConfigurationInvalid", "waiting for a valid specification"),
            "Degraded": Verdict.yes("ConfigurationInvalid", message),
            "ConfigurationValid": Verdict("False", "Invalid", message, failed=True),
            **{name: unknown for name, _ in CHECKS},
        },
        version=dig(observed.status, "version", default=""),
        model=dig(observed.status, "llm", "model", default=""),
        api_replicas=dig(observed.status, "api", "replicas", default=0),
        api_ready=dig(observed.status, "api", "ready", default=""),
    )


def _degraded(observed: Observed, app: GenAIAuto, verdicts: Mapping[str, Verdict]) -> Verdict:
    """Whether something needs a person."""
    for key, words in observed.refusals:
        return Verdict.yes("Refused", f"the API server refuses {key.kind} {key.name}: {words}")
    for name, verdict in verdicts.items():
        if verdict.failed:
            return Verdict.yes(verdict.reason, f"{name}: {verdict.message}")
    for component, reason, is_wanted in (
        (Component.SEED, "SeedFailed", app.spec.bootstrap.seed_knowledge_base),
        (Component.ADMIN, "AdminFailed", bool(app.spec.auth.admin_email)),
    ):
        failed = next((job_problem(job, observed.pods(component)) for job in observed.jobs(component)), None)
        if failed is not None and is_wanted:
            return Verdict.yes(reason, failed.message)
    rollout = first_problem(observed.pods(Component.API)) or replica_failure(
        observed.child("Deployment", observed.names.api)
    )
    if rollout is not None:
        return Verdict.yes(rollout.reason, f"API: {rollout.message}")
    if verdicts["CacheReady"].status == "False" and _was_rolled_out(observed.child("Deployment", observed.names.redis)):
        return Verdict.yes("CacheLost", f"no cache and no rate limits: {verdicts['CacheReady'].message}")
    return Verdict.wait("AsExpected", "nothing needs attention")


def _was_rolled_out(deployment: Manifest | None) -> bool:
    """Whether a Deployment's present template was complete once: what is missing now was lost."""
    conditions = dig(deployment, "status", "conditions", default=[])
    return any(c["type"] == "Progressing" and c["reason"] == "NewReplicaSetAvailable" for c in conditions)


def _progressing(observed: Observed, app: GenAIAuto, verdicts: Mapping[str, Verdict], degraded: Verdict) -> Verdict:
    """Whether time alone will change something."""
    for name, verdict in verdicts.items():
        if verdict.status == "False" and not verdict.failed and verdict.reason != "ScaledToZero":
            return Verdict.yes(verdict.reason, f"{name}: {verdict.message}")
    now, image = running(observed), observed.images.app_of(app)
    if now is not None and now.image != image:
        return Verdict.yes("Updating", f"the API goes on with {now.image} until {image} may run")
    for kind, name in (("Deployment", observed.names.api), ("StatefulSet", observed.names.database)):
        if not _rolled_out(observed.child(kind, name)):
            return Verdict.yes("RollingOut", f"waiting for the newest pods of {name} to be ready")
    if degraded.status == "True":
        return Verdict.wait("NeedsAttention", degraded.message)
    if app.spec.bootstrap.seed_knowledge_base and not context(observed, app).seeded:
        return Verdict.yes("Seeding", "waiting for the sample knowledge base: until then the answer is 'I do not know'")
    if app.spec.auth.admin_email and app.spec.auth.admin_email not in context(observed, app).administrators:
        return Verdict.yes("CreatingAdmin", f"waiting for the administrator {app.spec.auth.admin_email}")
    return Verdict.wait("Settled", "everything is as the specification asks")


def _ready_verdict(app: GenAIAuto, verdicts: Mapping[str, Verdict], progressing: Verdict) -> Verdict:
    """True only when what was asked for in this generation runs."""
    for name in NEEDED:
        verdict = verdicts[name]
        if verdict.status != "True":
            return Verdict("False", verdict.reason, f"{name}: {verdict.message}")
    if progressing.reason in {"Updating", "RollingOut", "Seeding", "CreatingAdmin"}:
        return Verdict.wait(progressing.reason, progressing.message)
    return Verdict.yes("Serving", f"{app.spec.api.replicas} API pods wanted; {verdicts['ApiAvailable'].message}")


def _phase(app: GenAIAuto, ready: Verdict, degraded: Verdict) -> Phase:
    if degraded.status == "True":
        return Phase.DEGRADED
    if app.spec.api.replicas == 0 and ready.reason == "ScaledToZero":
        return Phase.STOPPED
    return Phase.READY if ready.status == "True" else Phase.PROGRESSING


def _message(ready: Verdict, degraded: Verdict) -> str:
    return degraded.message if degraded.status == "True" else ready.message


def _rolled_out(workload: Manifest | None) -> bool:
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
