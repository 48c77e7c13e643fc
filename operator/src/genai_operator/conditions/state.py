"""What somebody chose that keeps things from happening: hibernation, paused rollouts, maintenance windows."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import Verdict
from genai_operator.desired.context import rollouts_are_paused
from genai_operator.desired.effective import hibernated
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import PAUSE_ROLLOUTS
from genai_operator.observed import Observed


def is_hibernated(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether every pod is stopped on purpose."""
    if not hibernated(app):
        return Verdict.wait("Running", "state is Running")
    left = [key.name for key, item in sorted(o.children.items()) if key.kind == "Pod" and not _has_ended(item)]
    if left:
        return Verdict.wait("Stopping", f"waiting for {left[0]} to end")
    return Verdict.yes("Hibernated", "no pod runs; volumes and Secrets are kept: set state to Running to go on")


def _has_ended(pod: Manifest) -> bool:
    return dig(pod, "status", "phase") in ("Succeeded", "Failed")


def rollouts_paused(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether pods stay as they are although their templates change."""
    if rollouts_are_paused(app):
        return Verdict.yes("Annotation", f"the annotation {PAUSE_ROLLOUTS} keeps pods from being replaced")
    if o.maintenance is not None and o.context.kept:
        text = f"pods that serve are not replaced before {o.maintenance.opening}"
        return Verdict.yes("OutsideMaintenanceWindow", text)
    return Verdict.wait("NotPaused", "changes replace the pods that they concern")
