"""`genai-testbed images`: build, load, list and prune."""

import sys
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from genai_testbed import clusters
from genai_testbed.errors import TestbedError
from genai_testbed.images.building import ensure_images, printed, prune, status
from genai_testbed.images.catalogue import names_for

app = typer.Typer(help="Images of the app and the operator, and stand-ins for public ones.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)

Result = TypeVar("Result")
Names = Annotated[list[str] | None, typer.Argument(help="app, operator, postgres, redis; all when none is named.")]


@app.command()
def build(names: Names = None) -> None:
    """Build what is not there yet and print each image's reference, size and archive."""
    for image in _or_exit(lambda: ensure_images(names or None)):
        console.print(f"{image.reference}  {image.unpacked_bytes / 1e6:.0f} MB  {image.archive}")


@app.command()
def load(names: Names = None) -> None:
    """Build what is not there yet and import it into the cluster that CLUSTER names."""
    cluster = clusters.choose()
    images = _or_exit(lambda: ensure_images(names or names_for(cluster.name)))
    cluster.load_images(tuple(image.archive for image in images))
    console.print(f"{cluster.name} has {', '.join(image.reference for image in images)}")


@app.command("list")
def list_() -> None:
    """Show each image as this clone would make it now, and whether it is there."""
    for wanted, image in _or_exit(status):
        state = f"{image.unpacked_bytes / 1e6:.0f} MB  {image.archive}" if image else "to be built"
        console.print(f"{wanted.recipe.name:<10}{wanted.reference:<55}{state}")


@app.command("prune")
def prune_() -> None:
    """Remove the images that this clone would not make now: other branches and other clones build theirs again."""
    for image in _or_exit(lambda: prune(printed())):
        console.print(f"removed {image.reference}")


def _or_exit(action: Callable[[], Result]) -> Result:
    try:
        return action()
    except TestbedError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]No image:[/] {escape(str(error))}")
        sys.exit(1)
