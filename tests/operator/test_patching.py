"""Strategic merge of a pod template."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_operator.desired.patching import merged

BASE: dict[str, Any] = {
    "metadata": {"labels": {"a": "1"}},
    "spec": {
        "containers": [{"name": "api", "image": "x", "env": [{"name": "A", "value": "1"}], "command": ["a", "b"]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    },
}


@pytest.mark.parametrize(
    ("patch", "path", "value"),
    [
        ({"metadata": {"labels": {"b": "2"}}}, ("metadata", "labels"), {"a": "1", "b": "2"}),
        ({"metadata": {"labels": {"a": None}}}, ("metadata", "labels"), {}),
        ({"metadata": {"labels": {"$patch": "replace", "b": "2"}}}, ("metadata", "labels"), {"b": "2"}),
        ({"spec": {"containers": [{"name": "api", "image": "y"}]}}, ("spec", "containers", 0, "image"), "y"),
        ({"spec": {"containers": [{"name": "api", "command": ["c"]}]}}, ("spec", "containers", 0, "command"), ["c"]),
        ({"spec": {"containers": [{"name": "api", "env": [{"name": "B", "value": "2"}]}]}},
         ("spec", "containers", 0, "env"), [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
        ({"spec": {"containers": [{"name": "api", "env": [{"name": "A", "$patch": "delete"}]}]}},
         ("spec", "containers", 0, "env"), []),
        ({"spec": {"containers": [{"name": "proxy", "image": "p"}]}}, ("spec", "containers", 1),
         {"name": "proxy", "image": "p"}),
        ({"spec": {"volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]}}, ("spec", "volumes"),
         [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]),
        ({"spec": {"hostNetwork": False}}, ("spec", "hostNetwork"), False),
        ({"spec": {"initContainers": [{"name": "wait", "image": "w"}]}}, ("spec", "initContainers"),
         [{"name": "wait", "image": "w"}]),
    ],
)  # fmt: skip
def test_a_patch_does_what_kubernetes_does(patch: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    found: Any = merged(BASE, patch)
    for step in path:
        found = found[step]
    assert found == value


json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(st.text(max_size=4), json_values, max_size=4)


@given(objects, objects)
def test_a_patch_that_is_applied_twice_changes_nothing_more(base: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merged(base, patch)
    assert merged(once, patch) == once


@given(objects)
def test_an_empty_patch_changes_nothing(base: dict[str, Any]) -> None:
    assert merged(base, {}) == base
