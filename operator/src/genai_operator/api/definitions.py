"""What a served definition lacks of our own: fields that people could write and the API server would refuse."""

from typing import Any

from genai_operator.api.schema import Schema


def missing_fields(own: Schema, served: Any, path: str = "spec") -> tuple[str, ...]:
    """Paths of the fields that `own` has and `served` has not; a newer definition has more, which is fine."""
    found: list[str] = []
    for name, child in own.get("properties", {}).items():
        here, there = f"{path}.{name}", (served or {}).get("properties", {}).get(name)
        if there is None:
            found.append(here)
        else:
            found += missing_fields(child, there, here)
    if "items" in own:
        found += missing_fields(own["items"], (served or {}).get("items"), f"{path}[]")
    return tuple(found)
