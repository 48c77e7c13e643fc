"""The database's volume: how full it is about, and how large it should be."""

from decimal import Decimal
from typing import Final

from genai_operator import quantities
from genai_operator.api.database import DatabaseMode, ManagedStorage
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.database import wal_mebibytes
from genai_operator.manifests import Manifest, dig

_STEP: Final = 5
"""Percent to which shares are rounded down: the status must not change with every row."""


def capacity(claim: Manifest | None) -> Decimal:
    """Bytes that the bound volume has; 0 before."""
    return quantities.parse(str(dig(claim, "status", "capacity", "storage", default="0")))


def used_percent(app: GenAIAuto, claim: Manifest | None, database_bytes: int | None) -> int | None:
    """How much of the volume the database and a full write-ahead log take, in steps of 5; None: not known.

    An estimate from within the database: only the kubelet sees the volume itself.
    """
    whole = capacity(claim)
    if app.spec.database.mode is not DatabaseMode.MANAGED or not whole or database_bytes is None:
        return None
    used = database_bytes + wal_mebibytes(app.spec.database.managed) * quantities.MEBIBYTE
    return int(used * 100 / whole) // _STEP * _STEP


def wanted_size(app: GenAIAuto, claim: Manifest | None, used: int | None) -> str:
    """What the claim should ask for: the spec's size, or a step more than it has when it fills up."""
    storage = app.spec.database.managed.storage
    whole, grow = capacity(claim), storage.autogrow
    if not grow.enabled or used is None or used < grow.threshold_percent:
        return storage.size
    step = int(whole * (100 + grow.step_percent) / 100) // quantities.MEBIBYTE
    most = quantities.mebibytes(grow.max_size)
    return max((storage.size, f"{min(step, most)}Mi"), key=quantities.parse)


def may_grow(storage: ManagedStorage, claim: Manifest | None) -> bool:
    """Whether autogrow has anything left to give."""
    return storage.autogrow.enabled and quantities.parse(storage.autogrow.max_size) > capacity(claim)
