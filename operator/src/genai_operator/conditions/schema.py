"""Whether the schema of the database is what the app needs."""

from genai_operator.api.database import MigrationMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.state import rollouts_paused
from genai_operator.conditions.verdict import STOPPED, Verdict
from genai_operator.desired.effective import hibernated
from genai_operator.desired.jobs import migration_name
from genai_operator.diagnosis import Problem, is_ready, job_pods, job_problem, last_words
from genai_operator.manifests import dig
from genai_operator.naming import Component
from genai_operator.observed import Observed, job_succeeded


def schema_up_to_date(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether the schema is what the wanted image needs."""
    if hibernated(app):
        return Verdict.unknown(*STOPPED)
    if app.spec.database.migrations.mode is MigrationMode.MANUAL:
        return _by_hand(o, app)
    name = migration_name(app, o.context)
    job = o.child("Job", name)
    if job_succeeded(job):
        return Verdict.yes("Migrated", f"the schema fits {o.images.app_of(app)}")
    paused = rollouts_paused(o, app)
    if job is None and paused.reason == "OutsideMaintenanceWindow":
        return Verdict.wait(paused.reason, f"the migration for {o.images.app_of(app)} waits: {paused.message}")
    problem = job_problem(job, o.pods(Component.MIGRATION), o.warning("Job", name))
    if problem is not None:
        return Verdict.no(Problem("MigrationFailed", problem.message) if problem.reason == "JobFailed" else problem)
    last = last_words(job_pods(name, o.pods(Component.MIGRATION)))
    return Verdict.wait("Migrating", f"waiting for Job {name}" + (f", which tries again after: {last}" if last else ""))


def _by_hand(o: Observed, app: GenAIAuto) -> Verdict:
    """A pod of the wanted image is ready only when the schema is."""
    image = o.images.app_of(app)
    ours = [pod for pod in o.pods(Component.API) if dig(pod, "spec", "containers", 0, "image") == image]
    if any(is_ready(pod) for pod in ours):
        return Verdict.yes("Migrated", f"the schema fits {image}: a pod of it is ready")
    if not ours:
        return Verdict.wait("WaitingForPod", f"waiting for the first pod of {image}")
    name = ours[0]["metadata"]["name"]
    help_ = f"where its schema is older: kubectl exec --namespace={o.metadata.namespace} {name} -- genai-auto migrate"
    return Verdict.wait("ManualMigration", f"pod {name} waits for the database; {help_}")
