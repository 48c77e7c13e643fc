"""Interleaved rounds of load by wrk, and the CPU that each request took of its server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from genai_bench import load
from genai_bench.load import Work
from genai_bench.plan import Plan, interleaved
from genai_bench.servers import Server

WARM_UP_SECONDS: Final = 3
_NUMBERS: Final = 1_000_000
"""No round sends more requests: each has numbers of its own."""


@dataclass(frozen=True)
class Side:
    """A server and what it is asked."""

    server: Server
    work: Work


@dataclass(frozen=True)
class Measured:
    """Of each round: microseconds of CPU a request, requests a second, the median latency in microseconds."""

    cpu: tuple[float, ...]
    rate: tuple[float, ...]
    p50: tuple[float, ...]
    requests: int


def measure(plan: Plan, sides: Mapping[str, Side]) -> dict[str, Measured]:
    """Load the sides in turn, after a warm-up that does not count. Raises BenchError."""
    for position, side in enumerate(sides.values(), start=1):
        load.run(side.work, plan, position * _NUMBERS, seconds=WARM_UP_SECONDS)
    found: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in sides}
    for number, (name, side) in interleaved(plan, tuple(sides.items())):
        before = side.server.cpu_seconds()
        counted = load.run(side.work, plan, (number + 1 + len(sides)) * _NUMBERS)
        spent = side.server.cpu_seconds() - before
        rate = counted.requests / plan.seconds
        found[name].append((spent / counted.requests * 1e6, rate, counted.p50, counted.requests))
    return {name: _measured(samples) for name, samples in found.items()}


def _measured(samples: list[tuple[float, float, float, int]]) -> Measured:
    cpu, rate, p50, requests = zip(*samples, strict=True)
    return Measured(cpu, rate, p50, sum(requests))
