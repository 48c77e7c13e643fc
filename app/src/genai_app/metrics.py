"""The metrics of one application, made from the contract's specifications; each application has its own registry."""

from collections.abc import Collection
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from genai_contract.metrics import ALL, BUILD_INFO, MetricSpec

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """Every metric of the contract, by its specification: `metrics.count(CACHE_OPERATIONS, operation="hit", ...)`.

    A label that the specification does not name, or a missing one, is a ValueError: tests find it, not dashboards.
    """

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        self._collectors = {spec: _collector(spec, self._registry) for spec in ALL}
        self._children: dict[tuple[MetricSpec, tuple[tuple[str, str], ...]], Any] = {}
        self.set(BUILD_INFO, 1, version=version)

    def count(self, spec: MetricSpec, amount: float = 1, **labels: str) -> None:
        """Add `amount` to a counter."""
        self._child(spec, labels).inc(amount)

    def observe(self, spec: MetricSpec, value: float, **labels: str) -> None:
        """Record one value, in the unit that the metric's name ends with."""
        self._child(spec, labels).observe(value)

    def set(self, spec: MetricSpec, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._child(spec, labels).set(value)

    def change(self, spec: MetricSpec, amount: float, **labels: str) -> None:
        """Move a gauge by `amount`, which may be negative."""
        self._child(spec, labels).inc(amount)

    def render(self, names: Collection[str] = ()) -> bytes:
        """Everything, or the samples of these names alone, in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry.restricted_registry(names) if names else self._registry)

    def _child(self, spec: MetricSpec, labels: dict[str, str]) -> Any:
        key = (spec, tuple(labels.items()))
        child = self._children.get(key)
        if child is None:
            collector = self._collectors[spec]
            child = self._children[key] = collector.labels(**labels) if spec.labels else collector
        return child


def _collector(spec: MetricSpec, registry: CollectorRegistry) -> Any:
    if spec.kind == "counter":
        return Counter(spec.name, spec.description, spec.labels, registry=registry)
    if spec.kind == "gauge":
        return Gauge(spec.name, spec.description, spec.labels, registry=registry)
    return Histogram(spec.name, spec.description, spec.labels, registry=registry, buckets=spec.buckets)
