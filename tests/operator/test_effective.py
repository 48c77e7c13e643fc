"""What profile and specification come to together."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_operator.api.agent_api import Engine
from genai_operator.api.fields import Resources
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.profiles import PROFILES, Profile
from genai_operator.desired.effective import Bounds, autoscaling, engine, fewest_replicas, sized, wanted_replicas
from genai_operator.quantities import parse


def resource(**spec: Any) -> GenAIAuto:
    return GenAIAuto.model_validate({"metadata": {"name": "demo"}, "spec": spec})


def scaled(profile: str = "Medium", **autoscaling: Any) -> GenAIAuto:
    return resource(profile=profile, api={"autoscaling": autoscaling, "replicas": 5})


@pytest.mark.parametrize("profile", [p for p in Profile if p is not Profile.CUSTOM])
def test_larger_profiles_have_no_smaller_part(profile: Profile) -> None:
    row, small = PROFILES[profile], PROFILES[Profile.SMALL]
    for part in ("api", "database", "redis"):
        for level in ("requests", "limits"):
            for what in ("cpu", "memory"):
                mine, least = (getattr(getattr(getattr(r, part), level), what) for r in (row, small))
                assert parse(mine) >= parse(least), (part, level, what)
    assert row.replicas >= small.replicas


amounts = st.none() | st.integers(1, 64_000).map(lambda milli: f"{milli}m")


@given(amounts, amounts, amounts, amounts)
def test_what_is_wished_holds_and_no_request_exceeds_its_limit(
    request_cpu: str | None, limit_cpu: str | None, request_memory: str | None, limit_memory: str | None
) -> None:
    wish = Resources.model_validate(
        {
            "requests": {"cpu": request_cpu, "memory": request_memory},
            "limits": {"cpu": limit_cpu, "memory": limit_memory},
        }
    )
    for profile in PROFILES.values():
        size = sized(wish, profile.api)
        for what in ("cpu", "memory"):
            wished_request, wished_limit = getattr(wish.requests, what), getattr(wish.limits, what)
            request, limit = getattr(size.requests, what), getattr(size.limits, what)
            assert limit == wished_limit or wished_limit is None
            assert request == wished_request or wished_request is None
            if wished_request is None or wished_limit is None:
                assert Decimal(0) < parse(request) <= parse(limit)


@pytest.mark.parametrize(
    ("app", "bounds"),
    [
        (scaled("Small"), None),
        (scaled("Custom"), None),
        (scaled("Medium"), Bounds(2, 3)),
        (scaled("Large"), Bounds(4, 8)),
        (scaled("Large", mode="Disabled"), None),
        (scaled("Small", mode="Enabled"), Bounds(1, 3)),
        (scaled("Medium", minReplicas=5), Bounds(5, 5)),
        (scaled("Large", maxReplicas=2), Bounds(2, 2)),
        (scaled("Large", minReplicas=1, maxReplicas=20), Bounds(1, 20)),
        (resource(profile="Large", state="Hibernated"), None),
    ],
)
def test_who_decides_and_between_what(app: GenAIAuto, bounds: Bounds | None) -> None:
    assert autoscaling(app) == bounds


@pytest.mark.parametrize(
    ("app", "live", "replicas"),
    [
        (scaled("Small"), 2, 5),
        (scaled("Medium"), None, 2),
        (scaled("Medium"), 3, 3),
        (scaled("Medium"), 17, 17),
        (scaled("Medium"), 0, 2),
        (resource(state="Hibernated", api={"replicas": 3}), 3, 0),
        (resource(api={"replicas": 0}), 3, 0),
    ],
)
def test_the_number_that_is_there_stays_under_autoscaling_only(app: GenAIAuto, live: int | None, replicas: int) -> None:
    assert wanted_replicas(app, live) == replicas


def test_until_keda_is_there_an_hpa_stands_in() -> None:
    app = scaled(engine="KEDA")
    assert engine(app, keda_is_there=True) is Engine.KEDA
    assert engine(app, keda_is_there=False) is Engine.HPA
    assert engine(scaled(), keda_is_there=True) is Engine.HPA
    assert engine(scaled("Small", engine="KEDA"), keda_is_there=True) is None


def test_the_fewest_pods_are_those_of_whoever_decides() -> None:
    assert fewest_replicas(scaled()) == 2
    assert fewest_replicas(scaled("Small")) == 5
