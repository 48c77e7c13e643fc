"""The summary of an instance, decided from its conditions: ready, progressing, degraded, and the phase."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.api.redis import RedisMode
from genai_operator.api.status import DatabaseStatus, EffectiveStatus, LLMStatus, Phase, RedisStatus
from genai_operator.conditions import CHECKS
from genai_operator.conditions.verdict import Verdict
from genai_operator.desired.connections import database_connection, redis_connection
from genai_operator.desired.context import Context
from genai_operator.desired.effective import (
    Bounds,
    api_size,
    autoscaling,
    database_size,
    engine,
    hibernated,
    is_disabled,
    redis_size,
    wanted_replicas,
)
from genai_operator.desired.exposure import url
from genai_operator.diagnosis import (
    first_problem,
    job_problem,
    replica_failure,
)
from genai_operator.kinds import SCALED_OBJECT
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import RECONCILE, Component
from genai_operator.observed import Observed, rolled_out, running

OFFLINE_MODEL: Final = "offline"
"""In place of a model's name: answers are extracted from the knowledge base."""
_DISABLED: Final = ("ReconcileDisabled", f"the annotation {RECONCILE} is disabled: nothing is changed until it is gone")
_WAITED_FOR: Final = ("DatabaseReady", "CacheReady", "SchemaUpToDate", "ApiAvailable")
_NOT_YET: Final = frozenset({"Updating", "RollingOut", "RolloutsPaused", "Seeding", "CreatingAdmin"})
NEEDED: Final = ("DatabaseReady", "SchemaUpToDate", "ApiAvailable")
"""What Ready needs. Without the cache the service works, slower and without rate limits: that is Degraded."""


@dataclass(frozen=True)
class Assessment:
    """Everything that the status says."""

    phase: Phase
    message: str
    conditions: Mapping[str, Verdict]
    version: str
    url: str
    llm: LLMStatus
    database: DatabaseStatus | None
    redis: RedisStatus | None
    api_replicas: int
    api_ready: str
    api_requested: int
    effective: EffectiveStatus | None


def assess(observed: Observed) -> Assessment:
    """Decide every condition; Ready, Progressing and Degraded sum the others up."""
    app = observed.resource
    if app is None or observed.problems:
        return _invalid(observed)
    verdicts = {name: check(observed, app) for name, check in CHECKS}
    degraded = _degraded(observed, app, verdicts)
    progressing = _progressing(observed, app, verdicts, degraded)
    ready = _ready_verdict(verdicts, progressing)
    if is_disabled(app):
        ready, progressing = Verdict.unknown(*_DISABLED), Verdict.wait(*_DISABLED)
    deployment = observed.child("Deployment", observed.names.api)
    asked, serving = (dig(deployment, *path, default=0) for path in (("spec", "replicas"), ("status", "readyReplicas")))
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
        llm=_llm(observed, app),
        database=_database(observed, app),
        redis=_redis(app),
        url=url(app),
        version=now.version if now and ready.status == "True" else dig(observed.status, "version", default=""),
        api_replicas=dig(deployment, "status", "replicas", default=0),
        api_ready=f"{serving}/{asked}",
        api_requested=app.spec.api.replicas,
        effective=effective_status(app, observed.context),
    )


def _invalid(observed: Observed) -> Assessment:
    """Nothing is changed while the specification is wrong; what runs goes on."""
    message = "; ".join(observed.problems)
    before = observed.status.get("effective")
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
        url=dig(observed.status, "url", default=""),
        llm=LLMStatus.model_validate(observed.status.get("llm") or {"model": ""}),
        database=DatabaseStatus.model_validate(stored) if (stored := observed.status.get("database")) else None,
        redis=RedisStatus.model_validate(kept) if (kept := observed.status.get("redis")) else None,
        api_replicas=dig(observed.status, "api", "replicas", default=0),
        api_ready=dig(observed.status, "api", "ready", default=""),
        api_requested=dig(observed.status, "api", "requested", default=0),
        effective=EffectiveStatus.model_validate(before) if before else None,
    )


def _llm(observed: Observed, app: GenAIAuto) -> LLMStatus:
    offline, report = app.spec.llm.provider is Provider.OFFLINE, observed.report
    spent = ("", "") if offline or report is None else (str(report.spent_hour), str(report.spent_month))
    model = OFFLINE_MODEL if offline else app.spec.llm.model
    return LLMStatus(model=model, spent_this_hour=spent[0], spent_this_month=spent[1])


def _database(observed: Observed, app: GenAIAuto) -> DatabaseStatus:
    there = database_connection(app)
    claim = observed.child("PersistentVolumeClaim", observed.names.database_claim)
    return DatabaseStatus(
        mode=app.spec.database.mode,
        address=f"{there.host}:{there.port}/{there.database}",
        storage=dig(claim, "status", "capacity", "storage", default=""),
    )


def _redis(app: GenAIAuto) -> RedisStatus:
    there = redis_connection(app)
    return RedisStatus(mode=app.spec.redis.mode, address=urlsplit(there.url).netloc.rpartition("@")[2] if there else "")


def effective_status(app: GenAIAuto, ctx: Context) -> EffectiveStatus:
    """What profile and specification come to together."""
    bounds = autoscaling(app) or Bounds(wanted_replicas(app, None), wanted_replicas(app, None))
    scaler = engine(app, keda_is_there=ctx.serves(SCALED_OBJECT))
    parts = {
        "api": (ctx.images.app_of(app), api_size(app)),
        "database": (
            ctx.images.database_of(app) if app.spec.database.mode is DatabaseMode.MANAGED else "",
            database_size(app),
        ),
        "redis": (ctx.images.redis_of(app) if app.spec.redis.mode is RedisMode.MANAGED else "", redis_size(app)),
    }
    return EffectiveStatus.model_validate(
        {
            "profile": app.spec.profile,
            "autoscaler": scaler.value if scaler else "None",
            "minReplicas": bounds.least,
            "maxReplicas": bounds.most,
            **{name: {"image": image, "resources": size.manifest()} for name, (image, size) in parts.items()},
        }
    )


def _degraded(observed: Observed, app: GenAIAuto, verdicts: Mapping[str, Verdict]) -> Verdict:
    """Whether something needs a person."""
    for key, words in observed.refusals:
        return Verdict.yes("Refused", f"the API server refuses {key.kind} {key.name}: {words}")
    for name, verdict in verdicts.items():
        if verdict.failed:
            return Verdict.yes(verdict.reason, f"{name}: {verdict.message}")
    if observed.missing_fields:
        message = f"the cluster's definition of GenAIAuto lacks {observed.missing_fields[0]}"
        return Verdict.yes("CRDOutdated", f"{message}: kubectl apply --server-side -f crds/ of this operator's version")
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
    if hibernated(app):
        stopped = verdicts["Hibernated"]
        return Verdict("False" if stopped.status == "True" else "True", stopped.reason, stopped.message)
    for name in _WAITED_FOR:
        verdict = verdicts[name]
        if verdict.status == "False" and not verdict.failed and verdict.reason != "ScaledToZero":
            return Verdict.yes(verdict.reason, f"{name}: {verdict.message}")
    now, image = running(observed), observed.images.app_of(app)
    if now is not None and now.image != image:
        return Verdict.yes("Updating", f"the API goes on with {now.image} until {image} may run")
    managed = app.spec.database.mode is DatabaseMode.MANAGED
    workloads = (("Deployment", observed.names.api), ("StatefulSet", observed.names.database) if managed else None)
    for kind, name in filter(None, workloads):
        if not rolled_out(observed.child(kind, name)):
            if verdicts["RolloutsPaused"].status == "True":
                return Verdict.yes("RolloutsPaused", f"{name} is to change: {verdicts['RolloutsPaused'].message}")
            return Verdict.yes("RollingOut", f"waiting for the newest pods of {name} to be ready")
    if degraded.status == "True":
        return Verdict.wait("NeedsAttention", degraded.message)
    if app.spec.bootstrap.seed_knowledge_base and not observed.context.seeded:
        return Verdict.yes("Seeding", "waiting for the sample knowledge base: until then the answer is 'I do not know'")
    if app.spec.auth.admin_email and app.spec.auth.admin_email not in observed.context.administrators:
        return Verdict.yes("CreatingAdmin", f"waiting for the administrator {app.spec.auth.admin_email}")
    return Verdict.wait("Settled", "everything is as the specification asks")


def _ready_verdict(verdicts: Mapping[str, Verdict], progressing: Verdict) -> Verdict:
    """True only when what was asked for in this generation runs."""
    for name in NEEDED:
        verdict = verdicts[name]
        if verdict.status != "True":
            return Verdict("False", verdict.reason, f"{name}: {verdict.message}")
    if progressing.reason in _NOT_YET:
        return Verdict.wait(progressing.reason, progressing.message)
    return Verdict.yes("Serving", verdicts["ApiAvailable"].message)


def _phase(app: GenAIAuto, ready: Verdict, degraded: Verdict) -> Phase:
    if degraded.status == "True":
        return Phase.DEGRADED
    if is_disabled(app):
        return Phase.DISABLED
    if hibernated(app):
        return Phase.HIBERNATED
    if app.spec.api.replicas == 0 and ready.reason == "ScaledToZero":
        return Phase.STOPPED
    return Phase.READY if ready.status == "True" else Phase.PROGRESSING


def _message(ready: Verdict, degraded: Verdict) -> str:
    return degraded.message if degraded.status == "True" else ready.message
