"""What a builder of images must do; Docker and buildah are the two."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genai_testbed.images.catalogue import Recipe
from genai_testbed.images.client_settings import PROXY_VARIABLES, Secret
from genai_testbed.images.debian import Mirror
from genai_testbed.images.programs import Runner


@dataclass(frozen=True)
class Order:
    """One build: what to make from the files in `context`, under which name, with which secrets, into which file."""

    recipe: Recipe
    reference: str
    context: Path
    secrets: tuple[Secret, ...]
    target: Path


class Engine(Protocol):
    """Turns an order into an archive."""

    def mirror(self) -> Mirror | None:
        """Where builds install Debian packages from; None when no build does. Raises NoDebianMirror."""
        ...

    def sources(self, recipe: Recipe) -> tuple[str, ...]:
        """The files and folders of the clone that this engine makes the image from."""
        ...

    def ingredients(self, recipe: Recipe) -> str:
        """What the image depends on besides those files, as a text to hash."""
        ...

    def prepare(self, runner: Runner) -> None:
        """Get ready to build, and clear what a killed build left. Raises MissingPrerequisite, ImageBuildFailed."""
        ...

    def build(self, order: Order, runner: Runner) -> None:
        """Write the archive `order.target`. Raises ImageBuildFailed."""
        ...

    def forget(self, references: Sequence[str], runner: Runner) -> None:
        """Drop these images from the engine's own storage, where it still has them."""
        ...


def build_arguments(order: Order, base_image: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The options of a build that both engines spell alike.

    Proxies are passed by name: engines keep those, and only those, arguments out of the image's history.
    """
    proxies = [name for name in PROXY_VARIABLES if name in environment]
    return [
        "--file", str(order.context / order.recipe.containerfile),
        "--tag", order.reference,
        *_version_label(order),
        "--build-arg", f"BASE_IMAGE={base_image}",
        *(word for name in proxies for word in ("--build-arg", name)),
        *(word for secret in order.secrets for word in ("--secret", f"id={secret.id},src={secret.source}")),
        str(order.context),
    ]  # fmt: skip


def _version_label(order: Order) -> tuple[str, ...]:
    if order.recipe.official:
        return ()
    return ("--label", f"org.opencontainers.image.version={order.reference.rpartition(':')[2]}")
