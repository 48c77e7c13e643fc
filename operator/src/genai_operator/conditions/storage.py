"""Whether the database's volume has room."""

from typing import Final

from genai_operator import quantities
from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import STOPPED, Verdict
from genai_operator.desired.effective import hibernated
from genai_operator.desired.volume import capacity, may_grow, used_percent
from genai_operator.diagnosis import Problem, claim_problem
from genai_operator.manifests import dig
from genai_operator.observed import Observed

FULL_PERCENT: Final = 85
"""The guide's threshold for disks."""


def storage_healthy(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether the volume is there, as large as wanted, and not nearly full."""
    if app.spec.database.mode is not DatabaseMode.MANAGED:
        return Verdict.unknown("NotManaged", "somebody else runs the database, and its volume")
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    name = o.names.database_claim
    claim = o.child("PersistentVolumeClaim", name)
    problem = claim_problem(claim, o.warning("PersistentVolumeClaim", name))
    if problem is not None:
        return Verdict.no(problem)
    whole, asked = capacity(claim), dig(claim, "spec", "resources", "requests", "storage", default="0")
    if not whole:
        return Verdict.wait("Binding", f"waiting for a volume for {name}")
    if quantities.parse(asked) > whole:
        return Verdict.wait("Growing", f"waiting for the storage class to grow {name} to {asked}")
    used = used_percent(app, claim, o.report.database_bytes if o.report else None)
    if used is None:
        return Verdict.unknown("NotReported", "no API pod has said yet how large the database is")
    has = dig(claim, "status", "capacity", "storage")
    if used >= FULL_PERCENT and not may_grow(app.spec.database.managed.storage, claim):
        help_ = "raise database.managed.storage.size, or autogrow.maxSize where autogrow is enabled"
        return Verdict.no(Problem("FillingUp", f"about {used} % of {has} are used: {help_}"))
    return Verdict.yes("Enough", f"about {used} % of {has} are used")
