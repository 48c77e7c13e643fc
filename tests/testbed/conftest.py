"""Test beds in state folders of their own: whatever runs in this clone stays as it is, and two live side by side."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from genai_testbed import lifecycle
from genai_testbed.layout import Bed, Level
from genai_testbed.progress import Progress


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A control plane that the tests of this level share; each leaves it well."""
    state = tmp_path_factory.mktemp("control-plane")
    try:
        yield lifecycle.up(Level.CONTROL_PLANE, Progress(), state)
    finally:
        lifecycle.down(Progress(), state)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A node that the tests of this level share; each leaves it well."""
    state = tmp_path_factory.mktemp("node")
    try:
        yield lifecycle.up(Level.NODE, Progress(), state)
    finally:
        lifecycle.down(Progress(), state)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of a test bed of one test, which is taken down in any case."""
    yield tmp_path / "state"
    lifecycle.down(Progress(), tmp_path / "state")
