"""Names and labels."""

import re

from hypothesis import given
from hypothesis import strategies as st

from genai_operator.naming import MAX_CHILD_NAME, Component, Names

INSTANCES = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
DIGESTS = st.text("0123456789abcdef", min_size=16, max_size=16)


def names_of(instance: str, digest: str) -> list[str]:
    names = Names(instance)
    return [
        names.service_account, names.api, names.config, names.auth, names.database, names.database_scripts,
        names.redis, names.redis_scripts, names.migration(digest), names.seed(digest),
        names.admin, names.admin_job(digest),
    ]  # fmt: skip


@given(INSTANCES, DIGESTS)
def test_every_name_is_short_distinct_and_a_valid_service_name(instance: str, digest: str) -> None:
    names = names_of(instance, digest)
    assert len(set(names)) == len(names)
    for name in names:
        assert len(name) <= MAX_CHILD_NAME
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)


@given(INSTANCES)
def test_labels_contain_the_selector_and_fit(instance: str) -> None:
    for component in Component:
        labels = Names(instance).labels(component)
        assert Names(instance).selector(component).items() <= labels.items()
        assert all(len(value) <= 63 for value in labels.values())
