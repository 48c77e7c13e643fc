"""Types of fields that several requests share: text that PostgreSQL can store and people can read."""

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain the character U+0000")
    return value


def _storable_object(value: dict[str, Any]) -> dict[str, Any]:
    """At most 16 levels and 4096 characters of keys and texts, none of which PostgreSQL would refuse."""
    if _weight(value, depth=16) > 4096:
        raise ValueError("must not hold more than 4096 characters, 16 levels deep")
    return value


def _weight(value: Any, depth: int) -> int:
    if depth == 0:
        raise ValueError("must not be nested deeper than 16 levels")
    if isinstance(value, dict):
        return sum(_weight(key, depth - 1) + _weight(item, depth - 1) for key, item in value.items())
    if isinstance(value, list):
        return sum(_weight(item, depth - 1) for item in value)
    if isinstance(value, str):
        value.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
        _storable(value)
        return len(value)
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):
        raise ValueError("must not hold NaN or Infinity")
    return 8


Storable = AfterValidator(_storable)
Message = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000), Storable]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=255), Storable]
SessionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""A conversation's name, chosen by the client or by us (a UUID)."""
ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
"""A client's own name for a message, such as a UUID; unique in its session."""
Metadata = Annotated[dict[str, Any], AfterValidator(_storable_object)]
