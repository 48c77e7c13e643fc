"""Metric specifications are ones that Prometheus and existing dashboards accept."""

import re

import pytest

from genai_contract.metrics import ALL, MetricSpec

NAME = re.compile(r"[a-z][a-z0-9_]*")


def test_names_are_unique() -> None:
    names = [spec.name for spec in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_a_metric_is_well_formed(spec: MetricSpec) -> None:
    assert NAME.fullmatch(spec.name)
    assert spec.description.endswith(".")
    assert (spec.kind == "counter") == spec.name.endswith("_total")
    assert bool(spec.buckets) == (spec.kind == "histogram")
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert len(spec.labels) == len(set(spec.labels))
