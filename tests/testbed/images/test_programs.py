"""Programs that build: their output is kept, and a failure shows the end of it."""

import sys
from pathlib import Path

import pytest

from genai_testbed.images.errors import ImageBuildFailed
from genai_testbed.images.programs import Runner


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def runner(tmp_path: Path, said: list[str]) -> Runner:
    return Runner("app", tmp_path / "app.log", 0, said.append, {"FROM_RUNNER": "seen"})


def test_output_is_returned_and_logged_with_its_command(runner: Runner) -> None:
    command = [sys.executable, "-c", "import os; print(os.environ['FROM_RUNNER'])"]
    assert runner.run(command) == "seen"
    assert runner.log.read_text().splitlines()[1:] == ["seen"]
    assert runner.log.read_text().startswith("$ ")


def test_steps_of_a_build_are_shown_at_once(runner: Runner, said: list[str]) -> None:
    runner.run([sys.executable, "-c", "print('[2/4] STEP 1/3: COPY a b'); print('noise')"])
    assert said == ["app: [2/4] STEP 1/3: COPY a b"]


def test_a_failure_tells_the_last_lines_and_where_the_log_is(runner: Runner) -> None:
    with pytest.raises(ImageBuildFailed, match=r"ended with 3 while making app:\n  no space left") as failure:
        runner.run([sys.executable, "-c", "print('no space left'); raise SystemExit(3)"])
    assert str(runner.log) in str(failure.value)
