"""Whether the agent API serves."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import STOPPED, Verdict
from genai_operator.desired.effective import autoscaling, hibernated
from genai_operator.diagnosis import first_problem, replica_failure
from genai_operator.manifests import dig
from genai_operator.naming import Component
from genai_operator.observed import Observed


def api_available(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether the agent API serves."""
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    deployment, pods = o.child("Deployment", o.names.api), o.pods(Component.API)
    wanted = dig(deployment, "spec", "replicas", default=0)
    bounds = autoscaling(app)
    if bounds is None and app.spec.api.replicas == 0:
        return Verdict.wait("ScaledToZero", "api.replicas is 0: scale it up to serve")
    available = dig(deployment, "status", "availableReplicas", default=0)
    problem = first_problem(pods) or replica_failure(deployment)
    if available > 0:
        text = f"{available} of {wanted} API pods serve"
        if bounds is not None:
            text += f"; between {bounds.least} and {bounds.most} by load, api.replicas does not count"
        return Verdict.yes("Serving", text)
    return Verdict.no(problem) if problem else Verdict.wait("Starting", "waiting for the first ready API pod")
