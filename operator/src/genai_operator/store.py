"""The children of all instances as last seen, in memory: what the informers fill and a reconcile reads."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from genai_operator.manifests import Manifest, ObjectKey, Ref, digest, key_of
from genai_operator.naming import INSTANCE

_NOTHING: Final[Mapping[ObjectKey, Manifest]] = MappingProxyType({})
_UNUSED: Final = ("managedFields", "selfLink")


def slim(item: Manifest) -> Manifest:
    """What is worth keeping of an object: no managed fields, and of a Secret only `hashes` of its values."""
    kept = {**item, "metadata": {key: value for key, value in item["metadata"].items() if key not in _UNUSED}}
    if kept["kind"] == "Secret":
        data = kept.pop("data", None) or {}
        kept["hashes"] = item.get("hashes") or {key: digest(value) for key, value in data.items()}
    kept["metadata"].setdefault("labels", {})
    return kept


class Store:
    """Children by instance. An older version of an object never replaces a newer one."""

    def __init__(self) -> None:
        self._children: dict[Ref, dict[ObjectKey, Manifest]] = {}
        self._owners: dict[tuple[str, ObjectKey], Ref] = {}

    def children(self, instance: Ref) -> Mapping[ObjectKey, Manifest]:
        """Everything of one instance."""
        return MappingProxyType(dict(self._children.get(instance, _NOTHING)))

    def put(self, item: Manifest) -> set[Ref]:
        """Keep an object. Returns the instances that it concerns: the present one, and a former one."""
        item = slim(item)
        namespace, key = item["metadata"]["namespace"], key_of(item)
        name = item["metadata"]["labels"].get(INSTANCE)
        former = self._owners.get((namespace, key))
        owner = Ref(namespace, name) if name else None
        if former is not None:
            known = self._children[former][key]
            if former == owner and _version(known) > _version(item) and _uid(known) == _uid(item):
                return set()
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
        if owner is not None:
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
