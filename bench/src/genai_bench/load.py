"""Load by wrk: one run against one server, and what it counted."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genai_bench.errors import BenchError
from genai_bench.plan import Plan

SCRIPT: Final = Path(__file__).parent / "load.lua"
_RESULT: Final = re.compile(r"^RESULT (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True)
class Work:
    """What is asked of a server. With `bodies` it is a POST; NUMBER in them is a number that no other request has."""

    url: str
    token: str = "-"  # noqa: S105 - the sign for none
    bodies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counted:
    """What wrk saw; latencies in microseconds."""

    requests: int
    failed: int
    p50: float
    p99: float


def find_wrk() -> str:
    """The program. Raises BenchError where it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        raise BenchError("The load generator wrk is missing: on Debian, `apt-get install wrk`.")
    return found


def run(work: Work, plan: Plan, first_number: int, *, seconds: int | None = None) -> Counted:
    """Load for the plan's seconds, or for `seconds`, on this process's core. Raises BenchError: a request failed."""
    duration = plan.seconds if seconds is None else seconds
    verb = "POST" if work.bodies else "GET"
    command = [
        find_wrk(), "-t", "1", "-c", str(plan.connections), "-d", f"{duration}s", "--timeout", "20s",
        "-s", str(SCRIPT), work.url, "--", verb, work.token, str(first_number), *work.bodies,
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=plan.longest, check=True)
    except subprocess.TimeoutExpired:
        raise BenchError(f"wrk did not end within {plan.longest:g} s at {work.url}.") from None
    except subprocess.CalledProcessError as error:
        raise BenchError(f"wrk failed at {work.url}: {error.stderr.strip() or error.stdout.strip()}") from None
    return counted(done.stdout, work.url)


def counted(output: str, url: str) -> Counted:
    """What `load.lua` wrote at the end. Raises BenchError when there is nothing, or a request failed."""
    found = _RESULT.search(output)
    if found is None:
        raise BenchError(f"wrk said nothing about its requests at {url}:\n{output}")
    result = Counted(**json.loads(found.group(1)))
    if result.failed or not result.requests:
        raise BenchError(f"{result.failed} of {result.requests} requests failed at {url}: nothing was measured.")
    return result


def numbered(bodies: Sequence[dict[str, str]]) -> tuple[str, ...]:
    """Bodies as JSON, as `Work` wants them."""
    return tuple(json.dumps(body) for body in bodies)
