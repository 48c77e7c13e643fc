"""The images by name: what each is built from and what it is called."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genai_testbed.images.errors import UnknownImage


@dataclass(frozen=True)
class Recipe:
    """How to make one image.

    `sources` are the files and folders, relative to the clone, that a build may see. An image with `version_from` is
    ours and tagged `<version>-<hash>`; one with `official` stands in for a public image under that image's own name.
    """

    name: str
    repository: str
    containerfile: str
    sources: tuple[str, ...]
    version_from: str | None = None
    official: str | None = None

    def reference(self, clone: Path, fingerprint: str) -> str:
        """The full name with registry and tag."""
        if self.official is not None:
            return self.official
        return f"{self.repository}:{_version(clone / str(self.version_from))}-{fingerprint}"


RECIPES: Final = (
    Recipe(
        "app", "docker.io/genai-auto/app", "Dockerfile.app",
        sources=(".dockerignore", "constraints.txt", "contract", "app"), version_from="app/pyproject.toml",
    ),
    Recipe(
        "operator", "docker.io/genai-auto/operator", "Dockerfile.operator",
        sources=(".dockerignore", "constraints.txt", "contract", "operator"), version_from="operator/pyproject.toml",
    ),
    Recipe(
        "postgres", "docker.io/pgvector/pgvector", "testbed/images/postgres.Containerfile",
        sources=(), official="docker.io/pgvector/pgvector:pg17",
    ),
    Recipe(
        "redis", "docker.io/library/redis", "testbed/images/redis.Containerfile",
        sources=(), official="docker.io/library/redis:7-alpine",
    ),
)  # fmt: skip


def choose(names: Sequence[str] | None) -> tuple[Recipe, ...]:
    """The recipes of these names in the catalogue's order; all for None. Raises UnknownImage."""
    known = {recipe.name for recipe in RECIPES}
    for name in names or ():
        if name not in known:
            raise UnknownImage(f"there is no image {name!r}: choose from {', '.join(sorted(known))}")
    return tuple(recipe for recipe in RECIPES if names is None or recipe.name in names)


def names_for(cluster: str) -> tuple[str, ...]:
    """What a cluster needs from us: the test bed's own node has no registry, so it also gets the databases."""
    return tuple(recipe.name for recipe in RECIPES if cluster == "testbed" or recipe.official is None)


def _version(project: Path) -> str:
    return str(tomllib.loads(project.read_text())["project"]["version"])
