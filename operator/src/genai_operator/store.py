"""All instances and their children as last seen, in memory: what the watches fill and a reconcile reads."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from genai_operator.manifests import Manifest, ObjectKey, Ref, digest, key_of
from genai_operator.naming import INSTANCE

_NOTHING: Final[Mapping[ObjectKey, Manifest]] = MappingProxyType({})
_UNUSED: Final = ("managedFields", "selfLink")
FRESH_SECONDS: Final = 60.0
"""What the watch told of a resource counts for so long; then it is asked for: the watch may have missed its end."""


def slim(item: Manifest) -> Manifest:
    """What is worth keeping of an object: no managed fields, and of a Secret only `hashes` of its values."""
    kept = {**item, "metadata": {key: value for key, value in item["metadata"].items() if key not in _UNUSED}}
    if kept["kind"] == "Secret":
        data = kept.pop("data", None) or {}
        kept["hashes"] = item.get("hashes") or {key: digest(value) for key, value in data.items()}
    kept["metadata"].setdefault("labels", {})
    return kept


class Store:
    """Resources, and children by instance. An older version of an object never replaces a newer one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._resources: dict[Ref, Manifest] = {}
        self._seen: dict[Ref, float] = {}
        self._children: dict[Ref, dict[ObjectKey, Manifest]] = {}
        self._owners: dict[tuple[str, ObjectKey], Ref] = {}
        self._settled: dict[tuple[str, ObjectKey], tuple[str, str]] = {}

    def resource(self, instance: Ref) -> Manifest | None:
        """A resource as it was seen lately; None when it must be asked for."""
        fresh = self._clock() - self._seen.get(instance, -math.inf) < FRESH_SECONDS
        return self._resources.get(instance) if fresh else None

    def put_resource(self, item: Manifest) -> bool:
        """Keep a resource that the watch told. Returns whether it tells anything new."""
        instance = Ref(item["metadata"]["namespace"], item["metadata"]["name"])
        known = self._resources.get(instance)
        if known is not None and _version(known) > _version(item):
            return False
        self._resources[instance] = slim(item)
        self._seen[instance] = self._clock()
        return known is None or _version(known) < _version(item)

    def update_resource(self, item: Manifest) -> None:
        """Keep a newer version of a resource that is known: the watch may have told its end meanwhile."""
        if Ref(item["metadata"]["namespace"], item["metadata"]["name"]) in self._resources:
            self.put_resource(item)

    def forget_resource(self, instance: Ref) -> None:
        """A resource is gone."""
        self._resources.pop(instance, None)
        self._seen.pop(instance, None)

    def children(self, instance: Ref) -> Mapping[ObjectKey, Manifest]:
        """Everything of one instance."""
        return MappingProxyType(dict(self._children.get(instance, _NOTHING)))

    def settle(self, namespace: str, live: Manifest, wanted: str) -> None:
        """This version of an object is as it is wanted: there is nothing to compare until either changes."""
        self._settled[namespace, key_of(live)] = (str(live["metadata"].get("resourceVersion", "")), wanted)

    def is_settled(self, namespace: str, live: Manifest, wanted: str) -> bool:
        """Whether this version of an object was found to be as it is wanted."""
        version = str(live["metadata"].get("resourceVersion", ""))
        return self._settled.get((namespace, key_of(live))) == (version, wanted)

    def put(self, item: Manifest) -> set[Ref]:
        """Keep an object. Returns the instances that it concerns: the present one, and a former one."""
        item = slim(item)
        namespace, key = item["metadata"]["namespace"], key_of(item)
        name = item["metadata"]["labels"].get(INSTANCE)
        former = self._owners.get((namespace, key))
        owner = Ref(namespace, name) if name else None
        if former is not None:
            known = self._children[former][key]
            if former == owner and _version(known) >= _version(item) and _uid(known) == _uid(item):
                return set()  # older, or the echo of our own write
            if former != owner:
                self._forget(namespace, key)
        if owner is not None:
            self._owners[namespace, key] = owner
            self._children.setdefault(owner, {})[key] = item
        return {ref for ref in (former, owner) if ref is not None}

    def remove(self, item: Manifest) -> set[Ref]:
        """Forget an object. Returns the instances that it concerns."""
        namespace, key = item["metadata"]["namespace"], key_of(item)
        known = self._find(namespace, key)
        if known is not None and _uid(known) != _uid(item):
            return set()  # a new object of that name is there already
        former = self._forget(namespace, key)
        return {former} if former is not None else set()

    def replace(self, kind: str, namespace: str | None, items: Iterable[Manifest]) -> set[Ref]:
        """Take over a list: what it does not contain is gone. Returns the instances that it concerns."""
        touched: set[Ref] = set()
        listed = set()
        for item in items:
            listed.add((item["metadata"]["namespace"], key_of(item)))
            touched |= self.put(item)
        for known_namespace, key in list(self._owners):
            in_scope = key.kind == kind and namespace in (None, known_namespace)
            if in_scope and (known_namespace, key) not in listed:
                former = self._forget(known_namespace, key)
                touched |= {former} if former is not None else set()
        return touched

    def instances(self) -> tuple[Ref, ...]:
        """Every instance that has children."""
        return tuple(self._children)

    def _find(self, namespace: str, key: ObjectKey) -> Manifest | None:
        owner = self._owners.get((namespace, key))
        return None if owner is None else self._children[owner][key]

    def _forget(self, namespace: str, key: ObjectKey) -> Ref | None:
        owner = self._owners.pop((namespace, key), None)
        self._settled.pop((namespace, key), None)
        if owner is not None:
            self._seen.pop(owner, None)  # where a child vanishes, its resource may have gone before it
            del self._children[owner][key]
            if not self._children[owner]:
                del self._children[owner]
        return owner


def _version(item: Manifest) -> int:
    """Resource versions are comparable numbers since Kubernetes 1.35, and always were in practice."""
    text = str(item["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0


def _uid(item: Manifest) -> str:
    return str(item["metadata"].get("uid", ""))
