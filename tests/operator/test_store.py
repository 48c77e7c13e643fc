"""The children in memory."""

from genai_operator.kinds import CONFIG_MAP
from genai_operator.manifests import Manifest, ObjectKey, Ref
from genai_operator.store import Store, slim

DEMO, OTHER = Ref("ns", "demo"), Ref("ns", "other")
KEY = ObjectKey("ConfigMap", "c")


def config_map(name: str = "c", *, instance: str = "demo", version: int = 1, uid: str = "u") -> Manifest:
    metadata = {"name": name, "namespace": "ns", "uid": uid, "resourceVersion": str(version),
                "labels": {"app.kubernetes.io/instance": instance}}  # fmt: skip
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def test_an_older_version_never_replaces_a_newer_one() -> None:
    store = Store()
    store.put(config_map(version=5))
    assert store.put(config_map(version=4)) == set()
    assert store.children(DEMO)[KEY]["metadata"]["resourceVersion"] == "5"


def test_a_new_object_of_the_same_name_replaces_whatever_was_there() -> None:
    store = Store()
    store.put(config_map(version=5))
    assert store.put(config_map(version=4, uid="new")) == {DEMO}
    assert store.remove(config_map(version=6)) == set()
    assert KEY in store.children(DEMO)


def test_a_changed_instance_label_concerns_both_instances() -> None:
    store = Store()
    store.put(config_map())
    assert store.put(config_map(instance="other", version=2)) == {DEMO, OTHER}
    assert store.children(DEMO) == {}
    assert KEY in store.children(OTHER)


def test_a_list_finds_what_vanished_unseen() -> None:
    store = Store()
    store.put(config_map("gone"))
    store.put(config_map("kept"))
    assert store.replace(CONFIG_MAP.name, None, [config_map("kept")]) == {DEMO}
    assert list(store.children(DEMO)) == [ObjectKey("ConfigMap", "kept")]


def test_a_list_of_one_namespace_or_kind_leaves_others_alone() -> None:
    store = Store()
    store.put(config_map())
    assert store.replace("Secret", None, []) == set()
    assert store.replace(CONFIG_MAP.name, "elsewhere", []) == set()
    assert KEY in store.children(DEMO)


def test_no_secret_value_is_kept_and_hashing_twice_changes_nothing() -> None:
    secret = {**config_map(), "kind": "Secret", "data": {"password": "c2VjcmV0"}}
    once = slim(secret)
    assert "data" not in once
    assert "c2VjcmV0" not in str(once)
    assert slim(once) == once


def test_what_is_read_does_not_change_afterwards() -> None:
    store = Store()
    store.put(config_map())
    seen = store.children(DEMO)
    store.remove(config_map())
    assert KEY in seen
    assert store.children(DEMO) == {}
