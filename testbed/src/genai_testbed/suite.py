"""`make test`: every level that this machine can run, and a plain word on each that it cannot."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from genai_testbed import clusters, images, layout
from genai_testbed.levels import Level, levels

console = Console(highlight=False)

CLUSTER_LEVELS = {"cluster": layout.Level.CONTROL_PLANE, "node": layout.Level.NODE}
"""How much of a cluster a level of tests needs."""


@dataclass(frozen=True)
class Plan:
    """What to run, as a pytest marker expression, what is left out, and whether leaving it out is a failure."""

    expression: str
    left_out: tuple[Level, ...]
    acceptable: bool


def plan(found: tuple[Level, ...], *, in_ci: bool) -> Plan:
    """Decide from what the machine can do. In CI a level that is left out fails the run: nobody would notice there."""
    left_out = tuple(level for level in found if level.missing)
    expression = " or ".join(level.name for level in found if not level.missing)
    return Plan(expression, left_out, acceptable=not (in_ci and left_out))


def prepare(level: layout.Level) -> None:
    """What takes minutes the first time, before the tests: there nobody would see its progress. Raises TestbedError."""
    cluster = clusters.choose()
    cluster.prepare(level)
    if level is layout.Level.NODE:
        images.ensure_images(images.names_for(cluster.name), console.print)


def run_tests(environment: Mapping[str, str] = os.environ) -> int:
    """Run pytest on the plan; its exit code, or 1 when CI would have left something out."""
    decided = plan(levels(), in_ci=environment.get("CI", "").lower() in {"1", "true"})
    for level in decided.left_out:
        console.print(f"[yellow]left out[/] {level.name}: {level.missing}")
    for name in ("cluster", "node"):
        if name in decided.expression:
            prepare(CLUSTER_LEVELS[name])
    command = [sys.executable, "-m", "pytest", "--durations=15", "-m", decided.expression]
    code = subprocess.run(command, check=False).returncode
    for level in decided.left_out:
        console.print(f"[yellow]left out[/] {level.name}: {level.missing}")
    if not decided.acceptable:
        console.print("[red]In CI every level must run.[/]")
        return 1
    return code
