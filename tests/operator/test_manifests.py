"""Wanted and live objects compared."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_operator.applying import differs, stamped
from genai_operator.manifests import Manifest, covers, dig, digest
from genai_operator.repairing import port_repair

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)


@given(JSON)
def test_everything_covers_itself(value: Any) -> None:
    assert covers(deepcopy(value), value)


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ({"a": 1, "added": 2}, {"a": 1}, True),
        ({"a": 2}, {"a": 1}, False),
        ({}, {"a": 1}, False),
        ({"l": [1, 2]}, {"l": [1]}, False),
        ({"env": [{"name": "FOREIGN"}, {"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "1"}]}, True),
        ({"env": [{"name": "A", "value": "2"}]}, {"env": [{"name": "A", "value": "1"}]}, False),
        ({"m": [{"name": "s", "mountPath": "/a"}, {"name": "s", "mountPath": "/b"}]},
         {"m": [{"name": "s", "mountPath": "/a"}, {"name": "s", "mountPath": "/b"}]}, True),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, True),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1000m"}}, False),
        ({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1024Mi"}}, True),
        ({"cpu": "1"}, {"cpu": "1000m"}, False),
        ({"emptyDir": {}}, {"emptyDir": {}}, True),
    ],
)  # fmt: skip
def test_what_others_added_is_no_difference(live: Manifest, wanted: Manifest, same: bool) -> None:
    assert covers(live, wanted) is same


def test_a_field_that_is_wanted_no_longer_is_noticed_by_the_hash() -> None:
    manifest = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"A": "1", "B": "2"}}
    live = stamped(manifest).body
    assert not differs(stamped(manifest).body, live)
    assert differs(stamped({**manifest, "data": {"A": "1"}}).body, live)


def test_replicas_are_applied_apart_and_do_not_change_the_hash() -> None:
    one, two = ({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": n}} for n in (1, 2))
    assert stamped(one).body == stamped(two).body
    assert stamped(two).replicas == 2
    assert "replicas" not in stamped(two).body["spec"]


PORT = {"name": "http", "port": 80, "protocol": "TCP"}
CONTAINER_PORT = {"name": "http", "containerPort": 80}


def service(*ports: Manifest) -> Manifest:
    return {"spec": {"ports": list(ports)}}


def deployment(*ports: Manifest) -> Manifest:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "ports": list(ports)}]}}}}


def test_a_port_of_our_name_with_another_number_is_replaced() -> None:
    replaced = [{"$patch": "replace"}, PORT]
    assert port_repair(service(PORT), service({**PORT, "port": 1})) == {"spec": {"ports": replaced}}
    patch = port_repair(deployment(CONTAINER_PORT), deployment({"name": "http", "containerPort": 1}))
    assert dig(patch, "spec", "template", "spec", "containers", 0, "ports") == [{"$patch": "replace"}, CONTAINER_PORT]


@pytest.mark.parametrize(
    "live", [service(PORT), service(PORT, {"name": "theirs", "port": 9}), service(), deployment(CONTAINER_PORT)]
)
def test_other_ports_need_no_repair(live: Manifest) -> None:
    assert port_repair(service(PORT), live) is None
    assert port_repair(deployment(CONTAINER_PORT), live) is None


@given(st.dictionaries(st.text(max_size=5), st.integers(-(2**63), 2**63 - 1), max_size=5))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, int]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


def test_dig_gives_the_default_where_a_path_ends_early() -> None:
    assert dig({"a": [{"b": 1}]}, "a", 0, "b") == 1
    assert dig({"a": [{"b": 1}]}, "a", 1, "b", default=0) == 0
    assert dig(None, "a") is None
