"""Why a pod, a volume claim or a Job does not do its work: the cause and the next step, from plain objects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from genai_operator.desired.effective import hibernated
from genai_operator.manifests import Manifest, ObjectKey, dig, key_of
from genai_operator.naming import Component
from genai_operator.observed import Observed, job_condition, job_succeeded

_PULL: Final = frozenset(("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"))
_CONFIG: Final = frozenset(("CreateContainerConfigError", "CreateContainerError", "RunContainerError"))
_MESSAGE_LENGTH: Final = 300
_JOB_LABEL: Final = "batch.kubernetes.io/job-name"
_MEMORY_FIELD: Final = {
    Component.DATABASE.value: "database.managed.resources",
    Component.CACHE.value: "redis.managed.resources",
}


@dataclass(frozen=True)
class Problem:
    """A cause as one word for programs, and as a sentence with the next step for people."""

    reason: str
    message: str


def is_ready(pod: Manifest) -> bool:
    """Whether a pod is ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in dig(pod, "status", "conditions", default=[]))


def first_problem(pods: Iterable[Manifest]) -> Problem | None:
    """The first problem that any of the pods has; pods that are being deleted do not count."""
    staying = (pod for pod in pods if "deletionTimestamp" not in pod["metadata"])
    return next((problem for pod in staying if (problem := pod_problem(pod)) is not None), None)


def job_pods(job: str, pods: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The pods of one Job."""
    return tuple(pod for pod in pods if dig(pod, "metadata", "labels", _JOB_LABEL) == job)


def pod_problem(pod: Manifest) -> Problem | None:
    """What keeps a pod from running; None while it starts or runs as it should."""
    name = pod["metadata"]["name"]
    for condition in dig(pod, "status", "conditions", default=[]):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return Problem(
                "Unschedulable",
                f"pod {name} fits on no node: {_text(condition)}; lower the requests or add a node",
            )
    statuses = dig(pod, "status", "containerStatuses", default=[])
    return next((found for status in statuses if (found := _container_problem(pod, status)) is not None), None)


def _container_problem(pod: Manifest, status: Manifest) -> Problem | None:
    name = pod["metadata"]["name"]
    waiting = dig(status, "state", "waiting", default={})
    reason = waiting.get("reason", "")
    if reason in _PULL:
        return Problem(
            "ImageMissing",
            f"{_image(pod)} cannot be pulled ({reason}): check the image's name, and imagePullSecrets if it is private",
        )
    if reason in _CONFIG:
        return Problem("PodMisconfigured", f"pod {name} cannot start: {_text(waiting)}")
    if reason == "CrashLoopBackOff":
        return _crash(pod, dig(status, "lastState", "terminated", default={}))
    return None


def _crash(pod: Manifest, ended: Manifest) -> Problem:
    name = pod["metadata"]["name"]
    if ended.get("reason") == "OOMKilled":
        component = dig(pod, "metadata", "labels", "app.kubernetes.io/component", default="")
        field = _MEMORY_FIELD.get(component, "api.resources")
        return Problem("OutOfMemory", f"pod {name} needs more memory than its limit: raise {field}.limits.memory")
    last = _text(ended) or f"exit code {ended.get('exitCode', 'unknown')}"
    return Problem("CrashLoop", f"pod {name} ends again and again: {last}; see kubectl logs {name} --previous")


def claim_problem(claim: Manifest | None, warning: str) -> Problem | None:
    """Why a volume claim has no volume yet."""
    if claim is None or dig(claim, "status", "phase") != "Pending" or not warning:
        return None
    name = claim["metadata"]["name"]
    return Problem(
        "VolumePending",
        f"the volume claim {name} is pending: {_short(warning)}; check database.managed.storage.storageClassName and "
        "kubectl get storageclass",
    )


def job_problem(job: Manifest | None, pods: Iterable[Manifest], warning: str = "") -> Problem | None:
    """Why a Job failed for good, or cannot begin."""
    if job is None or job_succeeded(job):
        return None
    name = job["metadata"]["name"]
    own = job_pods(name, pods)
    failed = job_condition(job, "Failed")
    if failed is not None:
        last = last_words(own) or _text(failed)
        return Problem("JobFailed", f"Job {name} failed: {last}; mend the cause, then kubectl delete job {name}")
    return first_problem(own) or (Problem("PodNotCreated", _not_created(name, warning)) if warning else None)


def not_created(owner: Manifest | None, warning: str) -> Problem | None:
    """Why a workload's pods were never created: mostly a quota or an admission rule."""
    if owner is None or not warning:
        return None
    return Problem("PodNotCreated", _not_created(owner["metadata"]["name"], warning))


def _not_created(name: str, warning: str) -> str:
    return f"no pod for {name}: {_short(warning)}; see kubectl describe resourcequota, or ask who runs the cluster"


def replica_failure(deployment: Manifest | None) -> Problem | None:
    """The same, as a Deployment tells it in its status."""
    for condition in dig(deployment, "status", "conditions", default=[]):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return not_created(deployment, _text(condition))
    return None


def stuck(observed: Observed) -> tuple[ObjectKey, ...]:
    """Objects whose own status does not say why nothing happens: worth a look at their events."""
    names, found = observed.names, []
    if observed.resource is None or hibernated(observed.resource):
        return ()  # nothing is waited for
    database = observed.child("StatefulSet", names.database)
    if database is not None and not observed.pods(Component.DATABASE):
        found.append(key_of(database))
    claim = observed.child("PersistentVolumeClaim", names.database_claim)
    if claim is not None and dig(claim, "status", "phase") == "Pending":
        found.append(key_of(claim))
    for component in (Component.MIGRATION, Component.SEED):
        with_pod = {dig(pod, "metadata", "labels", _JOB_LABEL) for pod in observed.pods(component)}
        found += [
            key_of(job)
            for job in observed.jobs(component)
            if job["metadata"]["name"] not in with_pod and not dig(job, "status", "conditions")
        ]
    return tuple(found)


def last_words(pods: Iterable[Manifest]) -> str:
    """What the last failed pod wrote before it ended."""
    for pod in sorted(pods, key=lambda p: str(dig(p, "status", "startTime", default="")), reverse=True):
        for status in dig(pod, "status", "containerStatuses", default=[]):
            ended = dig(status, "state", "terminated") or dig(status, "lastState", "terminated") or {}
            if words := _text(ended):
                return words
    return ""


def _image(pod: Manifest) -> str:
    return str(dig(pod, "spec", "containers", 0, "image", default="the image"))


def _text(source: Manifest) -> str:
    return _short(str(source.get("message") or source.get("reason") or ""))


def _short(text: str) -> str:
    """The end of a long text: the last line of a log is the one that counts."""
    text = " ".join(text.split())
    return text if len(text) <= _MESSAGE_LENGTH else "…" + text[-_MESSAGE_LENGTH:]
