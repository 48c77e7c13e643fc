"""Progress in a log file: what begins, what is done, what failed."""

import io

import pytest
from rich.console import Console

from genai_testbed.progress import Progress


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


def test_a_step_begins_and_ends(output: io.StringIO) -> None:
    with Progress(Console(file=output)).step("compile etcd", "(usually 75 s)"):
        pass
    assert "… compile etcd … (usually 75 s)" in output.getvalue()
    assert "✓ compile etcd (0.0 s)" in output.getvalue()


def test_a_step_that_fails_says_so(output: io.StringIO) -> None:
    with pytest.raises(ValueError, match="broken"), Progress(Console(file=output)).step("compile etcd"):
        raise ValueError("broken")
    assert "✗ compile etcd" in output.getvalue()
    assert "✓" not in output.getvalue()
