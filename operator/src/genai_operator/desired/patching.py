"""Strategic merge of a pod template: what Kubernetes does with such a patch, for lists of a pod's fields.

The rules are those of the Kubernetes API's `patchMergeKey`s: objects merge, lists of named things merge by their key,
other lists are replaced, null removes a field, and `$patch: delete` or `replace` is obeyed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_MERGE_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "containers": "name",
        "initContainers": "name",
        "ephemeralContainers": "name",
        "volumes": "name",
        "imagePullSecrets": "name",
        "env": "name",
        "volumeMounts": "mountPath",
        "volumeDevices": "devicePath",
        "ports": "containerPort",
        "hostAliases": "ip",
        "topologySpreadConstraints": "topologyKey",
    }
)
_DIRECTIVE: Final = "$patch"


def merged(base: Any, patch: Any, field: str = "") -> Any:
    """`base` with a strategic merge patch. Neither is changed."""
    if isinstance(patch, dict):
        return _merged_object(base if isinstance(base, dict) else {}, patch)
    if isinstance(patch, list) and isinstance(base, list) and field in _MERGE_KEYS:
        return _merged_list(base, patch, _MERGE_KEYS[field])
    return patch


def _merged_object(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    if patch.get(_DIRECTIVE) == "replace":
        base = {}
    result = dict(base)
    for key, value in patch.items():
        if key == _DIRECTIVE:
            continue
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(base.get(key), value, key)
    return result


def _merged_list(base: list[Any], patch: list[Any], key: str) -> list[Any]:
    """Entries that are there keep their place; new ones come last. An entry without the key is simply added."""
    changes = {entry[key]: entry for entry in patch if isinstance(entry, dict) and key in entry}
    kept = []
    for entry in base:
        change = changes.pop(entry.get(key), None) if isinstance(entry, dict) else None
        if change is None:
            kept.append(entry)
        elif change.get(_DIRECTIVE) != "delete":
            kept.append(_merged_object(entry, change))
    new = [_merged_object({}, change) for change in changes.values() if change.get(_DIRECTIVE) != "delete"]
    without_key = [entry for entry in patch if not (isinstance(entry, dict) and key in entry)]
    return [*kept, *new, *without_key]
