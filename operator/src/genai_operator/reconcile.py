"""One reconcile: the table of contents of the operator."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from genai_operator import certificates, credentials
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.applying import Applied, apply_changed, grow_volume, prune, stamped
from genai_operator.desired import desired_state
from genai_operator.desired.effective import is_disabled
from genai_operator.desired.exposure import needs_own_certificate, tls_secret
from genai_operator.desired.secrets import plans
from genai_operator.errors import Conflict, NotFound, Refused
from genai_operator.gathering import Sources, observe
from genai_operator.manifests import ObjectKey, Ref, dig
from genai_operator.observed import Observed
from genai_operator.reporting import write_status
from genai_operator.status import Assessment, assess

_ONCE_MORE_SECONDS: Final = 1.0
"""The API server refused something that it had not refused before: it may have been a moment's."""
_SOON_SECONDS: Final = 10.0
"""Something is not as it should be, and may change without an event that we would see."""


@dataclass(frozen=True)
class Outcome:
    """How a reconcile ended: what it wrote, and when to look again (None: with the resync; `gone`: never)."""

    writes: int = 0
    again_in: float | None = None
    gone: bool = False


async def reconcile(sources: Sources, ref: Ref) -> Outcome:
    """Bring everything that belongs to one GenAIAuto to its desired state. Level-triggered: knows nothing of events."""
    observed = await observe(sources, ref)
    if observed is None:
        return Outcome(gone=True)
    writes = 0
    if observed.resource is not None and not observed.problems and not is_disabled(observed.resource):
        try:
            observed, writes = await bring_about(sources, observed, observed.resource)
        except (NotFound, Conflict):
            raise  # the world changed meanwhile: begin anew
        except Refused as error:
            observed = replace(observed, refusals=((ObjectKey("an object of", ref.name), str(error)),))
    assessment = assess(observed)
    try:
        written = await write_status(sources.cluster, sources.store, observed, assessment)
    except NotFound:  # it was deleted meanwhile
        return Outcome(writes, gone=True)
    return Outcome(writes + written, again_in=next_look(assessment, observed))


async def bring_about(sources: Sources, observed: Observed, app: GenAIAuto) -> tuple[Observed, int]:
    """Secrets, then objects, then what is superfluous. Returns the instance as it is afterwards, and the writes."""
    cluster, store = sources.cluster, sources.store
    secret_plans = plans(app)
    secrets = await credentials.ensure(cluster, secret_plans, observed)
    secrets += await certificates.ensure(cluster, app, observed, datetime.now(UTC))
    for secret in secrets:
        store.put(secret)
    observed = observed.with_objects(secrets)

    ctx = observed.context
    ref = Ref(app.metadata.namespace, app.metadata.name)
    wanted = sources.built.of(ref, (app, ctx), lambda: tuple(map(stamped, desired_state(app, ctx))))
    applied = await apply_changed(cluster, store, wanted, observed)
    grown = await grow_volume(cluster, observed, app)

    own_secrets = (*(plan.name for plan in secret_plans), *((tls_secret(app),) if needs_own_certificate(app) else ()))
    keys = (*(one.key for one in wanted), *(ObjectKey("Secret", name) for name in own_secrets))
    gone = await prune(cluster, store, keys, observed)
    writes = len(secrets) + len(applied.changed) + len(grown.changed) + len(gone)
    return _after(observed, (applied, grown), gone), writes


def _after(observed: Observed, steps: tuple[Applied, ...], gone: tuple[ObjectKey, ...]) -> Observed:
    changed = tuple(item for step in steps for item in step.changed)
    refusals = tuple(refusal for step in steps for refusal in step.refused)
    return replace(observed.with_objects(changed, gone), refusals=refusals)


def next_look(assessment: Assessment, observed: Observed) -> float | None:
    """Seconds until the next look; None when the resync is soon enough."""
    conditions = assessment.conditions
    if observed.refusals and dig(observed.status, "message") != assessment.message:
        return _ONCE_MORE_SECONDS
    if conditions["Progressing"].status == "True" or conditions["Degraded"].status == "True":
        return _SOON_SECONDS
    return observed.maintenance.changes_in if observed.maintenance is not None else None
