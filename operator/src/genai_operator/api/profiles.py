"""The sizes that a profile stands for: the scaling table of the deployment guide (9.4) with its sizes of 9.1."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Profile(StrEnum):
    """How much traffic the instance is made for."""

    SMALL = "Small"
    MEDIUM = "Medium"
    LARGE = "Large"
    CUSTOM = "Custom"


@dataclass(frozen=True)
class Amount:
    """CPU and memory, as Kubernetes quantities."""

    cpu: str
    memory: str


@dataclass(frozen=True)
class Size:
    """What one pod gets at least and at most."""

    requests: Amount
    limits: Amount

    def manifest(self) -> dict[str, dict[str, str]]:
        """As the container's field `resources`."""
        return {
            "requests": {"cpu": self.requests.cpu, "memory": self.requests.memory},
            "limits": {"cpu": self.limits.cpu, "memory": self.limits.memory},
        }


@dataclass(frozen=True)
class Sizes:
    """One row of the table: sizes of one pod each, and how many API pods there may be; `scales`: by load."""

    api: Size
    database: Size
    redis: Size
    replicas: tuple[int, int]
    scales: bool


def _size(cpu: tuple[str, str], memory: tuple[str, str]) -> Size:
    return Size(Amount(cpu[0], memory[0]), Amount(cpu[1], memory[1]))


_SMALL: Final = Sizes(
    api=_size(("250m", "2"), ("512Mi", "2Gi")),
    database=_size(("500m", "2"), ("1Gi", "4Gi")),
    redis=_size(("100m", "500m"), ("256Mi", "1Gi")),
    replicas=(1, 3),
    scales=False,
)
PROFILES: Final[Mapping[Profile, Sizes]] = MappingProxyType(
    {
        Profile.SMALL: _SMALL,
        Profile.MEDIUM: Sizes(
            api=_size(("500m", "2"), ("1Gi", "4Gi")),
            database=_size(("1", "4"), ("4Gi", "8Gi")),
            redis=_size(("250m", "1"), ("512Mi", "2Gi")),
            replicas=(2, 3),
            scales=True,
        ),
        Profile.LARGE: Sizes(
            api=_size(("1", "4"), ("2Gi", "8Gi")),
            database=_size(("2", "8"), ("8Gi", "16Gi")),
            redis=_size(("500m", "2"), ("1Gi", "4Gi")),
            replicas=(4, 8),
            scales=True,
        ),
        Profile.CUSTOM: _SMALL,
    }
)
"""Custom begins where Small does, and means that every size is somebody's own choice."""
