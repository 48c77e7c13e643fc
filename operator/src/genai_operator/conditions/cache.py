"""Whether the cache is there."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.redis import RedisMode
from genai_operator.conditions.verdict import STOPPED, Verdict
from genai_operator.desired.effective import hibernated
from genai_operator.diagnosis import first_problem, replica_failure
from genai_operator.manifests import dig
from genai_operator.naming import Component
from genai_operator.observed import Observed


def cache_ready(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether Redis answers."""
    if app.spec.redis.mode is RedisMode.DISABLED:
        return Verdict.unknown("NotConfigured", "redis.mode is Disabled: no cache and no rate limits")
    if app.spec.redis.mode is RedisMode.EXTERNAL:
        return Verdict.unknown("External", "somebody else runs Redis: the API's metrics say whether it answers")
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    deployment, pods = o.child("Deployment", o.names.redis), o.pods(Component.CACHE)
    if deployment is not None and dig(deployment, "status", "availableReplicas", default=0) > 0:
        return Verdict.yes("Accepting", "Redis accepts connections")
    problem = first_problem(pods) or replica_failure(deployment)
    return Verdict.no(problem) if problem else Verdict.wait("Starting", f"waiting for a ready pod of {o.names.redis}")
