"""Whether the database is there, whoever runs it."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import STOPPED, Check, Verdict
from genai_operator.desired.cloud_native_pg import makes_cluster
from genai_operator.desired.connections import cluster_name, database_connection
from genai_operator.desired.effective import hibernated
from genai_operator.desired.jobs import check_name
from genai_operator.diagnosis import (
    Problem,
    claim_problem,
    first_problem,
    is_ready,
    job_pods,
    job_problem,
    last_words,
    not_created,
)
from genai_operator.kinds import POSTGRES_CLUSTER
from genai_operator.manifests import dig
from genai_operator.naming import Component
from genai_operator.observed import Observed, job_succeeded

_REASON: Final = re.compile(r"(?P<reason>[A-Z][a-zA-Z]+): (?P<message>[^\n]+)$")
"""How `genai-auto check-database` ends when it refuses."""


def database_ready(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether PostgreSQL accepts connections."""
    return Verdict.unknown(*STOPPED) if hibernated(app) else _BY_MODE[app.spec.database.mode](o, app)


def _managed(o: Observed, app: GenAIAuto) -> Verdict:
    del app
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


def _external(o: Observed, app: GenAIAuto) -> Verdict:
    """What the Job says that looked at it last."""
    name, there = check_name(app, o.context), database_connection(app)
    job, pods = o.child("Job", name), o.pods(Component.CHECK)
    if job_succeeded(job):
        return Verdict.yes("Accepting", f"{there.host}:{there.port} accepts connections and has pgvector")
    said = _REASON.search(last_words(job_pods(name, pods)))
    if said is not None:
        return Verdict.no(
            Problem(said["reason"], f"{said['message']}; it is tried again, or: kubectl delete job {name}")
        )
    problem = job_problem(job, pods, o.warning("Job", name))
    return Verdict.no(problem) if problem else Verdict.wait("Checking", f"waiting for Job {name}")


def _cloud_native_pg(o: Observed, app: GenAIAuto) -> Verdict:
    """What CloudNativePG says of its Cluster, and then what the Job says."""
    name = cluster_name(app)
    if POSTGRES_CLUSTER.name not in o.served:
        return Verdict.no(Problem("CloudNativePGMissing", "CloudNativePG is not installed: install its operator"))
    cluster = o.child(POSTGRES_CLUSTER.name, name) if makes_cluster(app) else o.foreign_cluster
    if cluster is None and not makes_cluster(app):
        message = f"there is no Cluster {name}: kubectl get clusters.postgresql.cnpg.io"
        return Verdict.no(Problem("ClusterMissing", message))
    if dig(cluster, "status", "readyInstances", default=0) < 1:
        said = dig(cluster, "status", "phase", default="") or "its operator has not said anything yet"
        return Verdict.wait("Starting", f"CloudNativePG: {said}; kubectl describe clusters.postgresql.cnpg.io {name}")
    return _external(o, app)


_BY_MODE: Final[Mapping[DatabaseMode, Check]] = MappingProxyType(
    {
        DatabaseMode.MANAGED: _managed,
        DatabaseMode.EXTERNAL: _external,
        DatabaseMode.CLOUD_NATIVE_PG: _cloud_native_pg,
    }
)
