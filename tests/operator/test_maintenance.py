"""Maintenance windows: when they are open, and what waits for them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.operator.test_status import changed, healthy, resource

from genai_operator.api.maintenance import MaintenanceWindow
from genai_operator.desired import desired_state
from genai_operator.maintenance import is_open, look, next_change, next_opening
from genai_operator.manifests import Manifest
from genai_operator.observed import Observed
from genai_operator.reconcile import next_look
from genai_operator.status import assess

WEDNESDAY = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SUNDAYS = {"days": ["Sun"], "start": "03:00", "durationMinutes": 90, "timezone": "Europe/Berlin"}


def windows(*fields: dict[str, Any]) -> list[MaintenanceWindow]:
    return [MaintenanceWindow.model_validate(each) for each in fields]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-29T01:59:59", False),  # 02:59:59 in Berlin
        ("2026-11-29T02:00:00", True),
        ("2026-11-29T03:29:59", True),
        ("2026-11-29T03:30:00", False),
        ("2026-07-05T01:00:00", True),  # in summer an hour earlier
        ("2026-11-28T02:30:00", False),  # Saturday
    ],
)
def test_a_window_is_of_a_weekday_in_its_own_time_zone(at: str, expected: bool) -> None:
    assert is_open(windows(SUNDAYS), datetime.fromisoformat(at).replace(tzinfo=UTC)) is expected


def test_a_window_may_cross_midnight_and_the_clock_may_change_in_it() -> None:
    late = windows({"days": ["Sat"], "start": "23:30", "durationMinutes": 240, "timezone": "Europe/Berlin"})
    begin = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)  # in that night the clock is set back
    assert next_opening(late, begin - timedelta(hours=1)) == begin
    assert is_open(late, begin + timedelta(minutes=239))
    assert not is_open(late, begin + timedelta(minutes=240))


def test_the_next_change_is_a_beginning_or_an_end() -> None:
    assert next_change(windows(SUNDAYS), WEDNESDAY) == datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
    assert next_change(windows(SUNDAYS), datetime(2026, 11, 29, 2, 0, tzinfo=UTC)) == datetime(
        2026, 11, 29, 3, 30, tzinfo=UTC
    )
    assert next_change((), WEDNESDAY) is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.integers(15, 1440))  # noqa: DTZ001 - hypothesis adds the zone
def test_nothing_changes_before_the_next_change(now: datetime, minutes: int) -> None:
    some = windows({**SUNDAYS, "durationMinutes": minutes}, {"days": ["Mon", "Thu"], "timezone": "America/Sao_Paulo"})
    change = next_change(some, now)
    assert change is not None
    assert now < change <= now + timedelta(days=7)
    assert is_open(some, change - timedelta(microseconds=1)) == is_open(some, now)


def test_no_day_is_every_day() -> None:
    assert is_open(windows({"days": [], "start": "12:00"}), WEDNESDAY)


def test_a_zone_that_does_not_exist_is_refused_with_words() -> None:
    with pytest.raises(ValidationError, match="there is no time zone Europe/Berlim: write an IANA name"):
        windows({"timezone": "Europe/Berlim"})


def at(observed: Observed, now: datetime) -> Observed:
    assert observed.resource is not None
    return replace(observed, maintenance=look(observed.resource.spec.maintenance_windows, now))


def outside(*, paused: bool = False, **spec: Any) -> Observed:
    """An instance that serves, on a Wednesday."""
    app = resource(maintenanceWindows=[SUNDAYS], **spec)
    found = at(healthy(app), WEDNESDAY)
    deployment = found.child("Deployment", "demo-api")
    assert deployment is not None
    return found.with_objects(({**deployment, "spec": {**deployment["spec"], "paused": paused}},))


def wanted(observed: Observed) -> dict[str, Manifest]:
    assert observed.resource is not None
    manifests = desired_state(observed.resource, observed.context)
    return {f"{m['kind']}/{m['metadata']['name']}": m for m in manifests}


def test_what_serves_is_kept_outside_and_replaced_inside() -> None:
    observed = outside()
    kept = wanted(observed)
    assert kept["Deployment/demo-api"]["spec"]["paused"] is True
    assert kept["Deployment/demo-redis"]["spec"]["paused"] is True
    assert kept["StatefulSet/demo-database"]["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 1
    inside = wanted(at(observed, datetime(2026, 11, 29, 2, 30, tzinfo=UTC)))
    assert "paused" not in inside["Deployment/demo-api"]["spec"]
    assert inside["StatefulSet/demo-database"]["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 0


def test_the_first_install_does_not_wait() -> None:
    app = resource(maintenanceWindows=[SUNDAYS])
    new = at(Observed(metadata=app.metadata, resource=app, images=healthy(app).images), WEDNESDAY)
    assert "paused" not in wanted(new)["Deployment/demo-api"]["spec"]


@pytest.mark.parametrize(
    ("paused", "status", "waits"),
    [
        (False, {"updatedReplicas": 0}, False),  # it began in a window: it is finished
        (True, {"updatedReplicas": 0}, True),
        (True, {"updatedReplicas": 0, "availableReplicas": 0}, False),  # nothing serves: nobody is disturbed
    ],
)
def test_a_rollout_that_began_goes_on_and_what_does_not_serve_waits_for_nothing(
    paused: bool, status: Manifest, waits: bool
) -> None:
    observed = changed(outside(paused=paused), "Deployment", "demo-api", **status)
    assert ("paused" in wanted(observed)["Deployment/demo-api"]["spec"]) is waits


def test_while_the_api_is_down_nothing_waits() -> None:
    """A lost password, for example, needs a new pod of the database."""
    down = changed(outside(paused=True), "Deployment", "demo-api", availableReplicas=0)
    assert down.context.kept == frozenset()


def test_the_migration_of_a_new_version_waits_too_and_the_conditions_say_until_when() -> None:
    before = outside()
    newer = resource(maintenanceWindows=[SUNDAYS], version="2")
    observed = replace(before, resource=newer, metadata=newer.metadata)
    manifests = wanted(observed)
    assert not [name for name in manifests if name.startswith("Job/demo-migration")]
    container = manifests["Deployment/demo-api"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "app:1"
    conditions = assess(observed).conditions
    assert conditions["SchemaUpToDate"].reason == "OutsideMaintenanceWindow"
    assert conditions["RolloutsPaused"].message == "pods that serve are not replaced before 2026-11-29 02:00 UTC"
    assert conditions["Ready"].status == "False"


def test_the_operator_looks_again_when_a_window_begins() -> None:
    observed = outside()
    assessment = assess(observed)
    assert assessment.conditions["Ready"].status == "True"
    assert next_look(assessment, observed) == (datetime(2026, 11, 29, 2, 0, tzinfo=UTC) - WEDNESDAY).total_seconds()
