"""Who takes the Lease, and when."""

import pytest

from genai_operator.api.crd import spec_schema
from genai_operator.api.definitions import missing_fields
from genai_operator.leadership import DURATION_SECONDS, RENEW_DEADLINE_SECONDS, RETRY_SECONDS, Sighting, Step, next_step
from genai_operator.manifests import Manifest

NOW = 1000.0


def held(by: str | None, seconds: int = DURATION_SECONDS) -> Manifest:
    return {"spec": {"holderIdentity": by, "leaseDurationSeconds": seconds}}


@pytest.mark.parametrize(
    ("lease", "seen_for", "step"),
    [
        (None, 0, Step.CREATE),
        (held("me"), 0, Step.RENEW),
        (held("me"), 1000, Step.RENEW),
        (held(""), 0, Step.TAKE),
        (held(None), 0, Step.TAKE),
        (held("other"), 0, Step.WAIT),
        (held("other"), DURATION_SECONDS - 0.1, Step.WAIT),
        (held("other"), DURATION_SECONDS, Step.TAKE),
        (held("other", seconds=60), DURATION_SECONDS, Step.WAIT),
    ],
)
def test_a_lease_is_taken_only_when_it_is_free_or_nobody_has_touched_it(
    lease: Manifest | None, seen_for: float, step: Step
) -> None:
    assert next_step(lease, Sighting("7", NOW - seen_for), "me", NOW) is step


def test_the_holder_stops_writing_before_anybody_may_take_over() -> None:
    assert RENEW_DEADLINE_SECONDS + RETRY_SECONDS < DURATION_SECONDS
    assert DURATION_SECONDS + 2 * RETRY_SECONDS <= 20, "the promise of a take-over"


def test_a_definition_that_lacks_fields_is_older_and_one_with_more_is_not() -> None:
    own = spec_schema()
    assert missing_fields(own, own) == ()
    newer = {**own, "properties": {**own["properties"], "brandNew": {"type": "string"}}}
    assert missing_fields(own, newer) == ()
    older = {**own, "properties": {key: value for key, value in own["properties"].items() if key != "pgadmin"}}
    assert missing_fields(own, older) == ("spec.pgadmin",)
    assert "spec.api" in missing_fields(own, None)
