"""What log lines never show, whoever writes them and whatever they are given."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.app.conftest import environment

from genai_app.logs import configure_logging, get_logger

ADDRESS = "ana.souza@example.com"
CPF = "529.982.247-25"


@pytest.fixture
def output(log_output: io.StringIO) -> Iterator[io.StringIO]:
    """A log of this test's own; the session's is back at the end."""
    own = io.StringIO()
    configure_logging("INFO", own)
    yield own
    configure_logging("INFO", log_output)


class Customer:
    """An object whose text is personal."""

    def __str__(self) -> str:
        return f"Ana <{ADDRESS}>"


@pytest.mark.parametrize(
    "fields",
    [
        {"text": f"mail {ADDRESS}"},
        {"cpf": 52998224725},
        {"nested": {"list": [{"cpf": CPF}], ADDRESS: (ADDRESS,)}},
        {"error": ValueError(f"no account {ADDRESS}")},
        {"who": Customer()},
        {"long": f"{'x' * 300} {ADDRESS}"},
        {"request_id": "52998224725"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_no_field_shows_personal_data(fields: dict[str, Any], output: io.StringIO) -> None:
    get_logger("test").info("written by us", **fields)
    line = output.getvalue()
    assert json.loads(line)["event"] == "written by us"
    assert not {found for found in (ADDRESS, CPF, "52998224725") if found in line}
    assert "[EMAIL]" in line or "[CPF]" in line


def test_messages_of_libraries_and_stack_traces_are_masked(output: io.StringIO) -> None:
    try:
        dict[str, str]()[ADDRESS]
    except KeyError:
        logging.getLogger("a.library").exception("lost %s, CPF %s", ADDRESS, CPF)
    [line] = output.getvalue().splitlines()
    record = json.loads(line)
    assert record["event"] == "lost [EMAIL], CPF [CPF]"
    assert "KeyError: '[EMAIL]'" in record["exception"]
    assert ADDRESS not in line


def test_what_is_not_personal_stays_as_it_is(output: io.StringIO) -> None:
    name = str(UUID(int=5299822472552998224725))
    get_logger("test").info("request", endpoint="/api/v1/chat", status=200, milliseconds=12.34, request_id=name)
    record = json.loads(output.getvalue())
    assert (record["endpoint"], record["status"], record["milliseconds"]) == ("/api/v1/chat", 200, 12.34)
    assert record["request_id"] == name


def test_masking_can_be_switched_off(log_output: io.StringIO) -> None:
    own = io.StringIO()
    configure_logging("INFO", own, mask_personal_data=False)
    get_logger("test").info(f"mail {ADDRESS}")
    configure_logging("INFO", log_output)
    assert ADDRESS in own.getvalue()


def test_an_uncaught_error_is_one_masked_line() -> None:
    script = f"from genai_app.logs import configure_logging\nconfigure_logging('INFO')\nraise ValueError('{ADDRESS}')"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), cwd=Path("/"), check=False
    )
    assert run.returncode == 1
    assert run.stderr == ""
    assert "ValueError: [EMAIL]" in json.loads(run.stdout)["exception"]
