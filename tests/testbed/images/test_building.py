"""Images are built once: the second call only looks."""

import time

import pytest

from genai_testbed.images import archive, ensure_images
from genai_testbed.images.catalogue import RECIPES

pytestmark = [pytest.mark.node, pytest.mark.timeout(1200)]  # a first build starts with a Debian from nothing

PROGRAMS = {
    "postgres": ("/usr/lib/postgresql/17/bin/initdb", "/usr/lib/postgresql/17/bin/postgres", "/usr/bin/pg_dump",
                 "/usr/lib/postgresql/17/lib/vector.so"),
    "redis": ("/usr/bin/redis-server", "/usr/bin/redis-cli"),
}  # fmt: skip


def test_the_second_call_builds_nothing_and_takes_less_than_a_second() -> None:
    first = ensure_images(["postgres", "redis"])
    begin = time.monotonic()
    assert ensure_images(["postgres", "redis"], progress=pytest.fail) == first
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_stand_in_has_the_official_name_user_and_programs_but_no_cluster_and_no_sources(name: str) -> None:
    (image,) = ensure_images([name])
    (recipe,) = (recipe for recipe in RECIPES if recipe.name == name)
    with archive.opened(image.archive) as contents:
        files = contents.files()
        assert contents.config["config"]["User"].startswith("999:")
    assert image.reference == recipe.official
    assert [program for program in PROGRAMS[name] if program not in files] == []
    assert [path for path in files if path.startswith(("/var/lib/postgresql/17", "/etc/apt/sources.list.d/"))] == []
