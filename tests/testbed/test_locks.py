"""Locks between processes end with their holders."""

import subprocess
import sys
from pathlib import Path

from genai_testbed.locks import exclusive, shared

HOLD = """
import sys, pathlib
from genai_testbed.locks import exclusive
with exclusive(pathlib.Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_holder_does_not_block(tmp_path: Path) -> None:
    lock, waited = tmp_path / "lock", []
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"

        def waiting() -> None:
            waited.append("waiting")
            holder.kill()

        with exclusive(lock, waiting):
            assert waited == ["waiting"]


def test_the_last_user_knows_that_it_is_the_last(tmp_path: Path) -> None:
    with shared(tmp_path / "users") as first_alone:
        with shared(tmp_path / "users") as second_alone:
            assert not second_alone()
        assert first_alone()
