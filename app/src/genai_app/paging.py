"""Pages of a list: `{items, next_cursor}`; a cursor is opaque and says where the next page begins."""

import base64
import binascii
import json
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field

from genai_app.errors import Invalid

Item = TypeVar("Item")
PageSize = Annotated[int, Field(ge=1, le=200)]


class Page(BaseModel, Generic[Item]):
    """One page; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(*parts: str | int) -> str:
    """The place after the last item, as URL-safe text."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type[str] | type[int]) -> tuple[str | int, ...]:
    """What `encode_cursor` was given, which must be of `types`. Raises Invalid for anything else."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        parts = None
    if (
        not isinstance(parts, list)
        or len(parts) != len(types)
        or not all(type(part) is kind for part, kind in zip(parts, types, strict=True))
    ):
        raise Invalid("cursor must be a `next_cursor` of an earlier reply", field="/cursor")
    return tuple(parts)
