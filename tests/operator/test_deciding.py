"""The small decisions between observing and writing: secrets, pruning, growth, what holds the API back."""

import base64
from typing import Any

import pytest

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.applying import needs_growth, superfluous
from genai_operator.credentials import mending
from genai_operator.desired.context import Images
from genai_operator.desired.secrets import plans
from genai_operator.gathering import read_resource
from genai_operator.manifests import Manifest, ObjectKey
from genai_operator.observed import Observed
from genai_operator.store import slim

OFFLINE = {"environment": "Development", "llm": {"provider": "Offline"}}


def resource(**spec: Any) -> GenAIAuto:
    metadata = {"name": "demo", "namespace": "ns", "uid": "u", "generation": 1}
    return GenAIAuto.model_validate({"metadata": metadata, "spec": {**OFFLINE, **spec}})


def live_secret(app: GenAIAuto, index: int, **metadata: Any) -> Manifest:
    """The Secret as the operator made it."""
    plan = plans(app)[index]
    generated = {"annotations": {"genai-auto.dev/generated": "true"}}
    data = {key: base64.b64encode(b"x").decode() for key in plan.keys}
    return slim({"kind": "Secret", "metadata": {**plan.metadata, **generated, **metadata}, "data": data})


def test_a_secret_that_is_as_planned_is_left_alone() -> None:
    app = resource()
    assert [mending(plan, live_secret(app, i)) for i, plan in enumerate(plans(app))] == [{}, {}, {}]


def test_lost_labels_come_back_and_values_are_not_touched() -> None:
    app = resource()
    patch = mending(plans(app)[0], live_secret(app, 0, labels={"foreign": "kept"}))
    assert patch == {"metadata": {"labels": plans(app)[0].metadata["labels"]}}


def test_a_missing_key_is_added_and_the_others_are_kept() -> None:
    app = resource()
    live = live_secret(app, 0)
    del live["hashes"]["superuser-password"]
    patch = mending(plans(app)[0], live)
    assert patch.keys() == {"data"}
    assert patch["data"].keys() == {"superuser-password"}
    assert len(base64.b64decode(patch["data"]["superuser-password"])) == 64


def test_the_owner_follows_the_deletion_policy() -> None:
    keep, delete = resource(), resource(deletionPolicy="Delete")
    assert mending(plans(delete)[0], live_secret(keep, 0))["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert mending(plans(keep)[0], live_secret(delete, 0)) == {"metadata": {"ownerReferences": None}}


def test_a_secret_that_a_person_made_is_never_owned() -> None:
    app = resource(deletionPolicy="Delete")
    patch = mending(plans(app)[0], live_secret(app, 0, annotations={}, labels={}, ownerReferences=[]))
    assert "ownerReferences" not in patch["metadata"]


def child(kind: str, name: str, *, owner: str = "u", component: str = "cache", **status: Any) -> Manifest:
    labels = {"app.kubernetes.io/component": component}
    return {
        "kind": kind,
        "metadata": {"name": name, "labels": labels, "ownerReferences": [{"uid": owner}]},
        "status": status,
    }


def test_only_own_objects_that_nobody_asks_for_are_pruned() -> None:
    app = resource()
    done = [{"type": "Complete", "status": "True"}]
    observed = Observed(metadata=app.metadata, resource=app, images=Images("a", "b", "c")).with_objects(
        (
            child("Job", "old"),
            child("Job", "wanted"),
            child("Job", "foreign", owner="other"),
            child("Job", "seeded", component="seed", conditions=done),
            child("Job", "administrator", component="admin", conditions=done),
            child("Job", "seed-failed", component="seed"),
            child("PersistentVolumeClaim", "data"),
            child("StatefulSet", "database"),
        )
    )
    gone = superfluous((ObjectKey("Job", "wanted"),), observed)
    assert gone == (ObjectKey("Job", "old"), ObjectKey("Job", "seed-failed"))


@pytest.mark.parametrize(
    ("phase", "asked", "size", "grows"),
    [("Bound", "10Gi", "20Gi", True), ("Bound", "10Gi", "10240Mi", False), ("Pending", "10Gi", "20Gi", False)],
)
def test_only_a_bound_claim_grows_and_only_to_more(phase: str, asked: str, size: str, grows: bool) -> None:
    claim = {"spec": {"resources": {"requests": {"storage": asked}}}, "status": {"phase": phase}}
    assert needs_growth(claim, size) is grows


def test_a_resource_of_an_older_definition_is_checked_by_the_operator() -> None:
    live = {"metadata": {"name": "x"}, "spec": {"api": {"replicas": -1}}}
    assert read_resource(live) == (None, ("spec.api.replicas: Input should be greater than or equal to 0",))
    assert read_resource({"metadata": {"name": "x"}, "spec": {}})[1][0].startswith(
        "Production needs llm.apiKeySecretRef"
    )
