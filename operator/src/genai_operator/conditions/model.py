"""Whether a language model answers, and whether it may be paid."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.conditions.verdict import STOPPED, Verdict
from genai_operator.desired.effective import hibernated
from genai_operator.diagnosis import Problem
from genai_operator.observed import Observed

_NOT_REPORTED = ("NotReported", "no API pod has answered the operator at its metrics port yet")


def llm_reachable(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether any of the models answers."""
    if app.spec.llm.provider is Provider.OFFLINE:
        return Verdict.unknown("Offline", "llm.provider is Offline: no model is asked")
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    if o.report is None:
        return Verdict.unknown(*_NOT_REPORTED)
    if o.report.llm_reachable:
        return Verdict.yes("Reachable", "models answer, or were not asked yet")
    text = "every model fails: check llm.baseURL, llm.model, the key, networkPolicy.llmEgress, and the API's log"
    return Verdict.no(Problem("Unreachable", text))


def budget_ok(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether models may still be paid in this hour and month."""
    if app.spec.llm.provider is Provider.OFFLINE:
        return Verdict.unknown("Offline", "llm.provider is Offline: nothing is paid")
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    report, policy = o.report, app.spec.llm.budget.on_limit.value
    if report is None:
        return Verdict.unknown(*_NOT_REPORTED)
    if report.month_is_spent:
        return Verdict.wait("MonthSpent", f"the month's {report.limit_month} USD are spent: onLimit {policy} holds")
    if report.hour_is_spent:
        return Verdict.wait("HourSpent", f"the hour's {report.limit_hour} USD are spent: onLimit {policy} holds")
    if report.is_above_warning:
        return Verdict.yes("AboveWarning", f"more than {report.warning} USD are spent in this hour")
    return Verdict.yes("WithinBudget", "spending is below its limits")
