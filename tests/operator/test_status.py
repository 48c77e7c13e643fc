"""Conditions and phase, from plain objects."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_operator.api.genaiauto import GenAIAuto, Metadata
from genai_operator.desired import desired_state
from genai_operator.desired.context import Images
from genai_operator.desired.jobs import migration_name
from genai_operator.diagnosis import stuck
from genai_operator.manifests import Manifest, ObjectKey, key_of
from genai_operator.naming import Component, Names
from genai_operator.observed import Observed, Report
from genai_operator.reconcile import next_look
from genai_operator.reporting import flips, status_document
from genai_operator.status import assess

IMAGES = Images("app:1", "pg:{version}", "redis:7")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = Names("demo")
TYPES = [
    "Ready", "Progressing", "Degraded", "ConfigurationValid", "DatabaseReady", "CacheReady", "SchemaUpToDate",
    "ApiAvailable", "LLMReachable", "Exposed", "CertificateReady", "MonitoringReady", "StorageHealthy", "BudgetOK",
    "ProductionReady",
    "RolloutsPaused", "Hibernated",
]  # fmt: skip


def resource(**spec: Any) -> GenAIAuto:
    base = {"environment": "Development", "llm": {"provider": "Offline"}}
    metadata = {"name": "demo", "namespace": "ns", "uid": "u", "generation": 3}
    return GenAIAuto.model_validate({"metadata": metadata, "spec": {**base, **spec}})


def pod(component: Component, name: str, **status: Any) -> Manifest:
    labels = NAMES.labels(component)
    return {"kind": "Pod", "metadata": {"name": name, "labels": labels}, "status": status,
            "spec": {"containers": [{"image": "some/image:1"}]}}  # fmt: skip


def waiting(reason: str, message: str = "", ended: Manifest | None = None) -> list[Manifest]:
    last = {"lastState": {"terminated": ended}} if ended else {}
    return [{"state": {"waiting": {"reason": reason, "message": message}}, **last}]


READY = [{"type": "Ready", "status": "True"}]


def healthy(app: GenAIAuto) -> Observed:
    """Everything as it is when all is well."""
    observed = Observed(metadata=app.metadata, resource=app, images=IMAGES)
    children = {
        key_of(m): {**m, "metadata": {**m["metadata"], "generation": 1}} for m in desired_state(app, observed.context)
    }
    for key, item in children.items():
        replicas = item.get("spec", {}).get("replicas", 1)
        if key.kind == "Deployment":
            item["status"] = {
                "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
                "readyReplicas": replicas, "availableReplicas": replicas,
                "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
            }  # fmt: skip
        if key.kind == "StatefulSet":
            item["status"] = {
                "observedGeneration": 1, "currentRevision": "r", "updateRevision": "r", "availableReplicas": 1,
            }  # fmt: skip
        if key.kind == "Job":
            item["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    database = pod(Component.DATABASE, "demo-database-0", conditions=READY)
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": NAMES.database_claim, "labels": {}},
             "spec": {"resources": {"requests": {"storage": "10Gi"}}},
             "status": {"phase": "Bound", "capacity": {"storage": "10Gi"}}}  # fmt: skip
    report = Report(database_bytes=2**30)
    return replace(observed, report=report).with_objects((*children.values(), database, claim))


def changed(observed: Observed, kind: str, name: str, **status: Any) -> Observed:
    item = observed.children[ObjectKey(kind, name)]
    return observed.with_objects(({**item, "status": {**item["status"], **status}},))


def conditions(observed: Observed) -> dict[str, tuple[str, str]]:
    return {kind: (v.status, v.reason) for kind, v in assess(observed).conditions.items()}


def test_all_well_is_ready() -> None:
    assessment = assess(healthy(resource()))
    assert {kind: v.status for kind, v in assessment.conditions.items()} == {
        **dict.fromkeys(TYPES, "True"), "Progressing": "False", "Degraded": "False", "RolloutsPaused": "False",
        "Hibernated": "False", "Exposed": "Unknown", "CertificateReady": "Unknown",
        "MonitoringReady": "Unknown", "ProductionReady": "Unknown", "LLMReachable": "Unknown", "BudgetOK": "Unknown",
    }  # fmt: skip
    assert (assessment.phase, assessment.version, assessment.api_ready) == ("Ready", "1", "1/1")


@pytest.mark.parametrize(
    ("llm", "model"),
    [({"provider": "Offline"}, "offline"), ({"apiKeySecretRef": {"name": "k"}, "model": "a/b"}, "a/b")],
)
def test_the_status_names_who_answers(llm: Manifest, model: str) -> None:
    observed = healthy(resource(llm=llm))
    assert status_document(observed, assess(observed), NOW)["llm"]["model"] == model


def test_an_instance_is_ready_when_its_administrator_is_there() -> None:
    done = healthy(resource(auth={"adminEmail": "b@example.com"}))
    assert assess(done).phase == "Ready"
    (job,) = done.jobs(Component.ADMIN)
    busy = changed(done, "Job", job["metadata"]["name"], conditions=[])
    assert conditions(busy)["Ready"] == ("False", "CreatingAdmin")
    assert assess(busy).message == "waiting for the administrator b@example.com"
    failure = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "no luck"}
    failed = changed(done, "Job", job["metadata"]["name"], conditions=[failure])
    assert conditions(failed)["Degraded"] == ("True", "AdminFailed")
    assert assess(failed).phase == "Degraded"


def test_nothing_yet_is_progressing_and_every_condition_is_there() -> None:
    app = resource()
    assessment = assess(Observed(metadata=app.metadata, resource=app, images=IMAGES))
    assert list(assessment.conditions) == TYPES
    assert assessment.phase == "Progressing"
    assert assessment.message == "DatabaseReady: waiting for pod demo-database-0 to be ready"


def test_an_invalid_specification_says_what_is_wrong_and_keeps_what_is_known() -> None:
    observed = Observed(
        metadata=Metadata(name="demo", generation=2), resource=None, images=IMAGES, problems=("spec.api: wrong",),
        status={"version": "1", "api": {"replicas": 2, "ready": "2/2"}, "llm": {"model": "a/b"}},
    )  # fmt: skip
    assessment = assess(observed)
    assert list(assessment.conditions) == TYPES
    assert (assessment.phase, assessment.message, assessment.version) == ("Invalid", "spec.api: wrong", "1")
    assert assessment.llm.model == "a/b"
    assert assessment.conditions["ConfigurationValid"].status == "False"
    assert assessment.conditions["Ready"].status == "False"


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ({"containerStatuses": waiting("ImagePullBackOff")}, "ImageMissing", "some/image:1 cannot be pulled"),
        ({"containerStatuses": waiting("CrashLoopBackOff", ended={"message": "data files are of PostgreSQL 16"})},
         "CrashLoop", "data files are of PostgreSQL 16; see kubectl logs demo-database-0 --previous"),
        ({"containerStatuses": waiting("CrashLoopBackOff", ended={"reason": "OOMKilled"})},
         "OutOfMemory", "raise database.managed.resources.limits.memory"),
        ({"containerStatuses": waiting("CreateContainerConfigError", "secret not found")},
         "PodMisconfigured", "secret not found"),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient cpu"}]},
         "Unschedulable", "Insufficient cpu; lower the requests or add a node"),
    ],
)  # fmt: skip
def test_a_broken_database_pod_is_named_with_cause_and_next_step(status: Manifest, reason: str, words: str) -> None:
    observed = healthy(resource()).with_objects((pod(Component.DATABASE, "demo-database-0", **status),))
    assessment = assess(observed)
    assert conditions(observed)["DatabaseReady"] == ("False", reason)
    assert conditions(observed)["Ready"] == ("False", reason)
    assert assessment.phase == "Degraded"
    assert words in assessment.message


def test_a_pending_volume_is_explained_by_its_event() -> None:
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": NAMES.database_claim},
        "status": {"phase": "Pending"},
    }
    bare = healthy(resource()).with_objects((claim, pod(Component.DATABASE, "demo-database-0")))
    assert key_of(claim) in stuck(bare)
    assert conditions(bare)["DatabaseReady"] == ("False", "Starting")
    told = replace(bare, warnings={key_of(claim): "no storage class is set"})
    assert conditions(told)["DatabaseReady"] == ("False", "VolumePending")
    assert "no storage class is set; check database.managed.storage.storageClassName" in assess(told).message


def test_a_quota_is_shown_when_no_pod_was_made() -> None:
    app = resource()
    observed = healthy(app).with_objects((), (ObjectKey("Pod", "demo-database-0"),))
    key = ObjectKey("StatefulSet", NAMES.database)
    assert stuck(observed) == (key,)
    told = replace(observed, warnings={key: "exceeded quota: small"})
    assert "no pod for demo-database: exceeded quota: small" in assess(told).message
    failure = [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}]
    for name in (NAMES.api, NAMES.redis):
        assert (
            "exceeded quota"
            in assess(changed(healthy(app), "Deployment", name, availableReplicas=0, conditions=failure)).message
        )


def test_a_failed_migration_quotes_its_last_words_and_says_how_to_try_again() -> None:
    app = resource()
    observed = healthy(app)
    name = migration_name(app, observed.context)
    last = pod(Component.MIGRATION, "m-1", containerStatuses=[{"state": {"terminated": {"message": "no such role"}}}])
    last["metadata"]["labels"]["batch.kubernetes.io/job-name"] = name
    failed = changed(
        observed, "Job", name, conditions=[{"type": "Failed", "status": "True", "message": "backoff limit"}]
    )
    assert conditions(failed)["SchemaUpToDate"] == ("False", "MigrationFailed")
    assert (
        f"no such role; mend the cause, then kubectl delete job {name}" in assess(failed.with_objects((last,))).message
    )
    retrying = changed(observed, "Job", name, conditions=[]).with_objects((last,))
    assert conditions(retrying)["SchemaUpToDate"] == ("False", "Migrating")
    assert "tries again after: no such role" in assess(retrying).message


def test_a_migration_by_hand_is_asked_for_and_seen() -> None:
    observed = healthy(resource(database={"migrations": {"mode": "Manual"}}))
    assert not observed.jobs(Component.MIGRATION)
    assert conditions(observed)["SchemaUpToDate"] == ("False", "WaitingForPod")
    api = {**pod(Component.API, "demo-api-1"), "spec": {"containers": [{"image": "app:1"}]}}
    waiting_pod = observed.with_objects((api,))
    assert "kubectl exec --namespace=ns demo-api-1 -- genai-auto migrate" in assess(waiting_pod).message
    ready = observed.with_objects(({**api, "status": {"conditions": READY}},))
    assert conditions(ready)["SchemaUpToDate"] == ("True", "Migrated")
    assert conditions(ready)["Ready"] == ("True", "Serving")


def test_a_new_image_waits_for_its_migration_and_ready_is_false_meanwhile() -> None:
    before = healthy(resource())
    after = replace(before, resource=resource(version="2"))
    assert conditions(after)["SchemaUpToDate"] == ("False", "Migrating")
    assert conditions(after)["ApiAvailable"] == ("True", "Serving")
    assert conditions(after)["Progressing"][0] == "True"
    assert conditions(after)["Ready"][0] == "False"
    template = next(
        m
        for m in desired_state(resource(version="2"), after.context)
        if m["metadata"]["name"] == "demo-api" and m["kind"] == "Deployment"
    )
    assert template["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"


@pytest.mark.parametrize(
    "status", [{"observedGeneration": 0}, {"updatedReplicas": 0}, {"replicas": 2}, {"availableReplicas": 1}]
)
def test_ready_is_never_true_before_the_newest_pods_serve(status: Manifest) -> None:
    app = resource(api={"replicas": 2})
    observed = changed(healthy(app), "Deployment", NAMES.api, **{"replicas": 2, **status})
    if status == {"replicas": 2}:
        observed = changed(observed, "Deployment", NAMES.api, replicas=3)
    assert conditions(observed)["Ready"] == ("False", "RollingOut")
    assert conditions(observed)["ApiAvailable"][0] == "True"


def test_without_the_cache_the_service_is_ready_but_degraded() -> None:
    observed = changed(healthy(resource()), "Deployment", NAMES.redis, availableReplicas=0)
    assert conditions(observed)["Ready"][0] == "True"
    assert conditions(observed)["Degraded"] == ("True", "CacheLost")
    assert assess(observed).phase == "Degraded"


def test_a_disabled_cache_is_unknown_and_nothing_misses_it() -> None:
    observed = healthy(resource(redis={"mode": "Disabled"}))
    assert conditions(observed)["CacheReady"] == ("Unknown", "NotConfigured")
    assert conditions(observed)["Ready"][0] == "True"


def test_no_replicas_is_stopped_and_not_an_error() -> None:
    observed = healthy(resource(api={"replicas": 0}))
    assert assess(observed).phase == "Stopped"
    assert conditions(observed)["Degraded"][0] == "False"
    assert conditions(observed)["Progressing"][0] == "False"


def test_ready_waits_for_the_first_knowledge() -> None:
    app = resource(bootstrap={"seedKnowledgeBase": True})
    observed = healthy(app)
    (seed,) = observed.jobs(Component.SEED)
    loading = changed(observed, "Job", seed["metadata"]["name"], conditions=[])
    assert conditions(loading)["Ready"] == ("False", "Seeding")
    assert conditions(observed)["Ready"][0] == "True"


def test_a_failed_seed_is_told_and_does_not_take_the_service_down() -> None:
    app = resource(bootstrap={"seedKnowledgeBase": True})
    observed = healthy(app)
    (seed,) = observed.jobs(Component.SEED)
    failed = changed(observed, "Job", seed["metadata"]["name"], conditions=[{"type": "Failed", "status": "True"}])
    assert conditions(failed)["Ready"][0] == "True"
    assert conditions(failed)["Degraded"] == ("True", "SeedFailed")


def test_an_object_that_the_api_server_refuses_is_told_with_its_words() -> None:
    base = healthy(resource())
    refused = replace(base, refusals=((ObjectKey("Service", "demo-api"), "it exists"),))
    assert assess(refused).message == "the API server refuses Service demo-api: it exists"


def test_a_conditions_time_changes_only_with_its_status() -> None:
    observed = healthy(resource())
    first = status_document(observed, assess(observed), NOW)
    later = replace(observed, status=first)
    assert status_document(later, assess(later), NOW.replace(year=2027)) == first
    lost = changed(later, "Deployment", NAMES.redis, availableReplicas=0)
    times = {
        c["type"]: c["lastTransitionTime"][:4]
        for c in status_document(lost, assess(lost), NOW.replace(year=2027))["conditions"]
    }
    assert {kind for kind, year in times.items() if year == "2027"} == {"CacheReady", "Degraded", "Progressing"}


def test_events_tell_flips_and_bad_news_at_the_first_look_only() -> None:
    observed = healthy(resource())
    assert [kind for kind, _ in flips({}, assess(observed))] == ["Ready"]
    first = status_document(observed, assess(observed), NOW)
    assert flips(first, assess(observed)) == ()
    lost = changed(observed, "Deployment", NAMES.redis, availableReplicas=0)
    assert [(kind, v.status) for kind, v in flips(first, assess(lost))] == [("Degraded", "True")]
    starting = Observed(metadata=observed.metadata, resource=observed.resource, images=IMAGES)
    assert flips({}, assess(starting)) == ()


@given(
    st.fixed_dictionaries({
        "observedGeneration": st.integers(0, 2), "replicas": st.integers(0, 3), "updatedReplicas": st.integers(0, 3),
        "availableReplicas": st.integers(0, 3), "readyReplicas": st.integers(0, 3),
    }),
    st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_ready_means_everything_it_needs(api: dict[str, int], database: bool, migrated: bool) -> None:
    app = resource(api={"replicas": 2})
    observed = changed(healthy(app), "Deployment", NAMES.api, **api)
    if not database:
        observed = observed.with_objects((pod(Component.DATABASE, "demo-database-0"),))
    if not migrated:
        observed = changed(observed, "Job", migration_name(app, observed.context), conditions=[])
    ready = conditions(observed)["Ready"][0] == "True"
    complete = (
        api["observedGeneration"] >= 1 and api["replicas"] == api["updatedReplicas"] == api["availableReplicas"] == 2
    )
    assert ready == (complete and database and migrated)
    assert all(v.message and v.reason for v in assess(observed).conditions.values())


def test_a_first_refusal_is_tried_again_at_once_and_a_lasting_one_seldom() -> None:
    observed = replace(healthy(resource()), refusals=((ObjectKey("Service", "demo-api"), "not now"),))
    assessment = assess(observed)
    assert next_look(assessment, observed) == 1
    told = replace(observed, status=status_document(observed, assessment, NOW))
    assert next_look(assess(told), told) == 10
