"""Facts about the tree that a wrong file would silently break."""

import operator
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks or would track, relative to the root."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def test_no_project_directory_is_a_package() -> None:
    """`operator/__init__.py` would shadow the standard library's operator for the whole interpreter."""
    assert tracked("operator/__init__.py", "app/__init__.py", "contract/__init__.py", "testbed/__init__.py") == []
    assert ROOT not in Path(operator.__file__).parents


def test_tests_are_no_packages_and_are_imported_by_path() -> None:
    assert tracked("tests/**/__init__.py", "tests/__init__.py") == []
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["addopts"]
    assert "--import-mode=importlib" in options


def pins(path: Path) -> dict[str, str]:
    """`name==version` lines of a requirements file, by name."""
    return dict(re.findall(r"^([a-z0-9_.\[\]-]+)==(\S+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("project", ["app", "operator"])
def test_an_image_installs_the_versions_that_were_tested(project: str) -> None:
    everything, image = pins(ROOT / "constraints.txt"), pins(ROOT / project / "requirements.txt")
    assert len(image) > 10
    assert image.items() <= everything.items()


@pytest.mark.parametrize("project", ["app", "operator"])
def test_an_image_installs_everything_that_its_project_needs(project: str) -> None:
    image = {name.partition("[")[0]: version for name, version in pins(ROOT / project / "requirements.txt").items()}
    needed = tomllib.loads((ROOT / project / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in map(Requirement, needed):
        if not requirement.name.startswith("genai-auto-"):
            assert requirement.specifier.contains(image[canonicalize_name(requirement.name)]), requirement


def test_no_lock_file_and_no_index_host_is_committed() -> None:
    assert tracked("*.lock", "*package-lock.json") == []
    for path in (Path("constraints.txt"), *tracked("*requirements.txt"), *tracked("*go.mod"), *tracked("*go.sum")):
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / path).read_text()), path
