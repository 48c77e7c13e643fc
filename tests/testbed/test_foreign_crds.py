"""Other projects' definitions: downloaded by what stands in the table, and nothing else."""

from dataclasses import replace

import pytest

from genai_testbed import foreign_crds
from genai_testbed.errors import BuildFailed
from genai_testbed.foreign_crds import OWN, SOURCES, files

pytestmark = pytest.mark.cluster  # they need Go


@pytest.mark.parametrize("name", [*SOURCES, *OWN])
def test_each_file_defines_a_kind(name: str) -> None:
    for file in files(name):
        group, _, plural = file.stem.partition("_")
        text = file.read_text()
        assert "\nkind: CustomResourceDefinition\n" in text
        assert f"\n  name: {plural}.{group}\n" in text


def test_contents_other_than_the_expected_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(foreign_crds.SOURCES, "gateway", replace(SOURCES["gateway"], checksum="h1:other"))
    with pytest.raises(BuildFailed, match="instead of h1:other: do not use it"):
        files("gateway")


def test_a_version_that_nobody_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(foreign_crds.SOURCES, "gateway", replace(SOURCES["gateway"], version="v0.0.1-never"))
    with pytest.raises(BuildFailed, match=r"gateway-api@v0\.0\.1-never cannot be downloaded"):
        files("gateway")
