"""Images by Docker: the official base and the official databases, nothing special to this machine."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from genai_testbed.images.catalogue import Recipe
from genai_testbed.images.debian import Mirror
from genai_testbed.images.engine import Order, build_arguments
from genai_testbed.images.programs import Runner

BASE: Final = "python:3.13-slim"


def answers() -> bool:
    """Whether a Docker engine runs: a client without one does not count."""
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(["docker", "info", "--format", "{{.ServerVersion}}"], check=False, capture_output=True)
    return asked.returncode == 0


@dataclass(frozen=True)
class Docker:
    """The Docker engine of this machine."""

    def mirror(self) -> Mirror | None:
        """No build installs Debian packages."""
        return None

    def sources(self, recipe: Recipe) -> tuple[str, ...]:
        """An official image is made from nothing of ours."""
        return () if recipe.official else (recipe.containerfile, *recipe.sources)

    def ingredients(self, recipe: Recipe) -> str:
        """The base, or the official image, by name."""
        return f"docker {recipe.official or BASE}"

    def prepare(self, runner: Runner) -> None:
        """Docker keeps itself tidy."""

    def build(self, order: Order, runner: Runner) -> None:
        """Build ours, pull the official ones."""
        if order.recipe.official:
            runner.run(["docker", "pull", order.recipe.official])
        else:
            runner.run(["docker", "buildx", "build", "--load", "--progress=plain", *build_arguments(order, BASE)])
        runner.run(["docker", "save", "--output", str(order.target), order.reference])

    def forget(self, references: Sequence[str], runner: Runner) -> None:
        """Remove our tags."""
        for reference in references:
            known = runner.run(["docker", "image", "ls", "--quiet", reference])
            if known:
                runner.run(["docker", "image", "rm", reference])
