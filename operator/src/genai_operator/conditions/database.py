"""Whether the database is there."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import STOPPED, Verdict
from genai_operator.desired.effective import hibernated
from genai_operator.diagnosis import claim_problem, first_problem, is_ready, not_created
from genai_operator.naming import Component
from genai_operator.observed import Observed


def database_ready(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether PostgreSQL accepts connections."""
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    workload = o.child("StatefulSet", o.names.database)
    claim = o.child("PersistentVolumeClaim", o.names.database_claim)
    pods = o.pods(Component.DATABASE)
    if workload is not None and any(is_ready(pod) for pod in pods):
        return Verdict.yes("Accepting", "PostgreSQL accepts connections")
    problem = (
        claim_problem(claim, o.warning("PersistentVolumeClaim", o.names.database_claim))
        or first_problem(pods)
        or not_created(workload, o.warning("StatefulSet", o.names.database) if not pods else "")
    )
    if problem is not None:
        return Verdict.no(problem)
    return Verdict.wait("Starting", f"waiting for pod {o.names.database}-0 to be ready")
