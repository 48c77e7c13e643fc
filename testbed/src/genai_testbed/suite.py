"""`make test`: every level that this machine can run, and a plain word on each that it cannot."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

from rich.console import Console

from genai_testbed import clusters, images, layout, tools, traces
from genai_testbed.levels import Level, levels
from genai_testbed.progress import Progress

console = Console(highlight=False)

CLUSTER_LEVELS = {"cluster": layout.Level.CONTROL_PLANE, "node": layout.Level.NODE}
"""How much of a cluster a level of tests needs."""


COMMAND = (sys.executable, "-m", "pytest", "--durations=15", "-m")
SIDE_BY_SIDE = "GENAI_AUTO_TESTS_SIDE_BY_SIDE"
"""Set for runs of pytest that run beside another one: mounts and network namespaces may be the other's."""


@dataclass(frozen=True)
class Plan:
    """What to run, as pytest marker expressions side by side, what is left out, and whether that is a failure."""

    expressions: tuple[str, ...]
    left_out: tuple[Level, ...]
    acceptable: bool


def plan(found: tuple[Level, ...], *, in_ci: bool) -> Plan:
    """Decide from what the machine can do. In CI a level that is left out fails the run: nobody would notice there.

    The node level waits for pods most of the time, so it runs beside the others, which compute.
    """
    left_out = tuple(level for level in found if level.missing)
    possible = [level.name for level in found if not level.missing]
    expressions = [" or ".join(name for name in possible if name != "node"), *(["node"] if "node" in possible else [])]
    return Plan(tuple(expressions), left_out, acceptable=not (in_ci and left_out))


def prepare(level: layout.Level) -> None:
    """What takes minutes the first time, before the tests: there nobody would see its progress. Raises TestbedError."""
    cluster = clusters.choose()
    cluster.prepare(level)
    if level is layout.Level.CONTROL_PLANE:
        tools.ensure(tools.JUDGES, Progress())
    if level is layout.Level.NODE:
        images.ensure_images(images.names_for(cluster.name), console.print)


def run_tests(environment: Mapping[str, str] = os.environ) -> int:
    """Run pytest on the plan; its exit code, or 1 when CI would have left something out."""
    decided = plan(levels(), in_ci=environment.get("CI", "").lower() in {"1", "true"})
    for level in decided.left_out:
        console.print(f"[yellow]left out[/] {level.name}: {level.missing}")
    for name in ("cluster", "node"):
        if any(name in expression for expression in decided.expressions):
            prepare(CLUSTER_LEVELS[name])
    before = traces.of_any_bed()
    code = side_by_side(decided.expressions, environment)
    for trace in sorted(traces.of_any_bed() - before):
        console.print(f"[red]left behind[/]: {trace}")
        code = code or 1
    for level in decided.left_out:
        console.print(f"[yellow]left out[/] {level.name}: {level.missing}")
    if not decided.acceptable:
        console.print("[red]In CI every level must run.[/]")
        return 1
    return code


def side_by_side(expressions: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """Run pytest for each expression at once: the first one's output as it comes, then the others'. The worst code."""
    with ExitStack() as files, ExitStack() as running:
        kept = [files.enter_context(tempfile.TemporaryFile("w+")) for _ in expressions[1:]]
        outputs: list[IO[str] | None] = [None, *kept]
        variables, runs = {**environment, SIDE_BY_SIDE: "1"}, []
        for expression, output in zip(expressions, outputs, strict=True):
            run = subprocess.Popen([*COMMAND, expression], env=variables, stdout=output, stderr=output)
            running.callback(_ended, run)
            runs.append(run)
        codes = []
        for expression, output, run in zip(expressions, outputs, runs, strict=True):
            codes.append(run.wait())
            if output is not None:
                output.seek(0)
                console.print(f"[bold]{expression}[/], which ran meanwhile:")
                shutil.copyfileobj(output, sys.stdout)
        return max(codes, key=abs)


def _ended(run: subprocess.Popen[bytes]) -> None:
    """Nothing to do when it has ended; otherwise the other one failed to start or we are interrupted."""
    if run.poll() is None:
        run.send_signal(signal.SIGINT)  # as Ctrl-C: its fixtures take down what they have up
        run.wait()
