"""The children in memory."""

from genai_operator.kinds import CONFIG_MAP
from genai_operator.manifests import Manifest, ObjectKey, Ref
from genai_operator.memo import Memo
from genai_operator.store import FRESH_SECONDS, Store, slim

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


def resource(version: int = 1) -> Manifest:
    metadata = {"name": "demo", "namespace": "ns", "uid": "u", "resourceVersion": str(version), "managedFields": [1]}
    return {"kind": "GenAIAuto", "metadata": metadata}


def version_of(store: Store) -> str | None:
    known = store.resource(DEMO)
    return None if known is None else str(known["metadata"]["resourceVersion"])


def test_a_resource_is_remembered_for_a_minute_and_only_a_newer_version_is_news() -> None:
    now = [0.0]
    store = Store(clock=lambda: now[0])
    assert store.put_resource(resource(5))
    assert not store.put_resource(resource(5)), "the echo of our own write"
    assert not store.put_resource(resource(4))
    assert version_of(store) == "5"
    now[0] = FRESH_SECONDS
    assert version_of(store) is None
    assert not store.put_resource(resource(5))
    assert version_of(store) == "5", "seen again"


def test_what_ended_does_not_come_back_by_an_answer_from_before() -> None:
    store = Store()
    store.put_resource(resource(5))
    store.update_resource(resource(6))
    assert version_of(store) == "6"
    store.forget_resource(DEMO)
    store.update_resource(resource(7))
    assert version_of(store) is None


def test_where_a_child_vanishes_the_resource_is_asked_for() -> None:
    store = Store()
    store.put_resource(resource())
    store.put(config_map())
    store.remove(config_map())
    assert version_of(store) is None


def test_a_settled_object_is_compared_again_when_it_or_what_is_wanted_changes() -> None:
    store = Store()
    live = config_map(version=3)
    store.put(live)
    assert not store.is_settled("ns", live, "wanted")
    store.settle("ns", live, "wanted")
    assert store.is_settled("ns", live, "wanted")
    assert not store.is_settled("ns", live, "something else")
    assert not store.is_settled("ns", config_map(version=4), "wanted")
    store.remove(live)
    assert not store.is_settled("ns", live, "wanted")


def test_the_echo_of_a_write_is_no_news() -> None:
    store = Store()
    assert store.put(config_map(version=5)) == {DEMO}
    assert store.put(config_map(version=5)) == set()


def test_a_memo_remembers_the_last_result_of_the_last_instances() -> None:
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text

    memo = Memo[str](size=2)
    for name, argument in (("a", 1), ("a", 1), ("b", 1), ("a", 1), ("c", 1), ("a", 2), ("b", 1)):
        memo.of(Ref("ns", name), argument, lambda name=name, argument=argument: make(f"{name}{argument}"))  # type: ignore[misc]  # defaults bind
    assert made == ["a1", "b1", "c1", "a2", "b1"], "b was forgotten for c"
