"""Kubernetes objects as plain dictionaries, and how a wanted one is compared with a live one."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from genai_operator import quantities

Manifest: TypeAlias = dict[str, Any]

_QUANTITIES: Final = frozenset({"requests", "limits", "sizeLimit"})
"""Fields that hold quantities: the API server writes 1024Mi as 1Gi."""
_LIST_KEYS: Final = ("mountPath", "name")
"""Fields by which the API server merges lists of objects: others may add entries of their own to such a list."""


@dataclass(frozen=True, order=True)
class Ref:
    """The name of an object of a known kind."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, order=True)
class ObjectKey:
    """Kind and name: what tells the objects of one instance apart."""

    kind: str
    name: str


def key_of(manifest: Manifest) -> ObjectKey:
    """Kind and name of a manifest."""
    return ObjectKey(manifest["kind"], manifest["metadata"]["name"])


def dig(value: Any, *path: str | int, default: Any = None) -> Any:
    """The value at a path of keys and list positions; `default` where the path ends early."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return default
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return default
    return value


def digest(value: object, length: int = 16) -> str:
    """A short hash of a JSON-like value, integers of 64 bits: equal for equal values, whatever the order of keys."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:length]


def covers(live: Any, wanted: Any, parent: str = "") -> bool:
    """Whether `live` has everything that `wanted` asks for; what others or the API server added is no difference."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            covers(live.get(key), value, _scope(parent, key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and _covers_list(live, wanted, parent)
    if parent in _QUANTITIES and live is not None:
        return live == wanted or quantities.same(live, wanted)
    return bool(live == wanted)


def _scope(parent: str, key: str) -> str:
    return parent if parent in _QUANTITIES else key


def _covers_list(live: list[Any], wanted: list[Any], parent: str) -> bool:
    key = next((k for k in _LIST_KEYS if wanted and all(isinstance(w, dict) and k in w for w in wanted)), None)
    if key is None:
        return len(live) == len(wanted) and all(covers(a, b, parent) for a, b in zip(live, wanted, strict=True))
    by_key = {entry.get(key): entry for entry in live if isinstance(entry, dict)}
    return all(covers(by_key.get(entry[key]), entry, parent) for entry in wanted)
