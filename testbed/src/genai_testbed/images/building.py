"""From names to finished images: what is there already is found in a moment, the rest is built."""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from genai_testbed.images import archive, client_settings, docker, inputs
from genai_testbed.images.buildah import Buildah
from genai_testbed.images.cache import Cache, Image, Progress
from genai_testbed.images.catalogue import Recipe, choose, names_for
from genai_testbed.images.docker import Docker
from genai_testbed.images.engine import Engine, Order
from genai_testbed.images.errors import ImageBuildFailed
from genai_testbed.images.programs import Runner
from genai_testbed.layout import CLONE

KEPT_OF_EACH = 3
"""Archives that stay of every image: enough to switch between branches, not enough to fill a disk."""


@dataclass(frozen=True)
class Wanted:
    """An image as this clone would make it now."""

    recipe: Recipe
    files: tuple[inputs.InputFile, ...]
    fingerprint: str
    reference: str


def printed() -> Progress:
    """Messages on standard error with the seconds since now."""
    console, begin = Console(stderr=True, highlight=False), time.monotonic()

    def show(message: str) -> None:
        console.print(f"[dim]{time.monotonic() - begin:6.1f} s[/]  {escape(message)}", soft_wrap=True)

    return show


def select_engine(cache: Cache) -> Engine:
    """Docker where it runs, else buildah."""
    return Docker() if docker.answers() else Buildah(cache)


def want(names: Sequence[str] | None, engine: Engine) -> tuple[Wanted, ...]:
    """What these images are made from, read from the clone. Raises UnknownImage."""
    return tuple(_wanted(recipe, engine) for recipe in choose(names))


def ensure_images(names: Sequence[str] | None = None, progress: Progress | None = None) -> tuple[Image, ...]:
    """These images (all for None), built unless the very same were built before, in the catalogue's order.

    Raises ImagesError; what was finished before an error stays finished.
    """
    cache = Cache.of_machine()
    engine = select_engine(cache)
    wanted = want(names, engine)
    found = [cache.find(each.recipe.name, each.fingerprint) for each in wanted]
    if not all(found):
        _build_missing(wanted, engine, cache, progress or printed())
        found = [cache.find(each.recipe.name, each.fingerprint) for each in wanted]
    images = tuple(image for image in found if image is not None)
    if len(images) < len(wanted):
        raise ImageBuildFailed("another clone removed an image as soon as it was built: run this again")
    return images


def images_for_node(progress: Progress | None = None) -> tuple[Image, ...]:
    """Everything that the test bed's own node runs, which has no registry: ours and the stand-ins."""
    return ensure_images(names_for("testbed"), progress)


def status() -> tuple[tuple[Wanted, Image | None], ...]:
    """Every image as this clone would make it now, with what is there of it."""
    cache = Cache.of_machine()
    wanted = want(None, select_engine(cache))
    return tuple((each, cache.find(each.recipe.name, each.fingerprint)) for each in wanted)


def prune(progress: Progress) -> tuple[Image, ...]:
    """Remove every archive that this clone would not make now; returns what was removed."""
    cache = Cache.of_machine()
    keep = [image for _, image in status() if image is not None]
    with cache.locked(progress) as lock:
        old = outdated(cache.everything(), keep, kept_of_each=0)
        _forget(old, select_engine(cache), cache, _runner("prune", cache, lock, progress))
    return old


def outdated(images: Sequence[Image], keep: Sequence[Image], kept_of_each: int) -> tuple[Image, ...]:
    """Those that may go, of `images` with the ones used last first."""
    protected = {image.archive for image in keep}
    for name in {image.name for image in images}:
        protected.update([image.archive for image in images if image.name == name][:kept_of_each])
    return tuple(image for image in images if image.archive not in protected)


def _build_missing(wanted: Sequence[Wanted], engine: Engine, cache: Cache, progress: Progress) -> None:
    with cache.locked(progress) as lock:
        missing = [each for each in wanted if cache.find(each.recipe.name, each.fingerprint) is None]
        for position, each in enumerate(missing):
            runner = _runner(each.recipe.name, cache, lock, progress)
            if position == 0:
                engine.prepare(runner)
            _build(each, engine, cache, runner)
        _forget(outdated(cache.everything(), (), KEPT_OF_EACH), engine, cache, _runner("prune", cache, lock, progress))


def _build(wanted: Wanted, engine: Engine, cache: Cache, runner: Runner) -> None:
    begin, name = time.monotonic(), wanted.recipe.name
    context = cache.scratch / "context" / name
    partial = cache.archive(name, wanted.fingerprint).with_suffix(".partial")
    inputs.write(wanted.files, context)
    with client_settings.secrets(cache.scratch, os.environ, engine.mirror()) as secrets:
        engine.build(Order(wanted.recipe, wanted.reference, context, secrets, partial), runner)
    with archive.opened(partial) as contents:
        unpacked = contents.unpacked_bytes()
    cache.add(name, wanted.fingerprint, wanted.reference, partial, unpacked)
    shutil.rmtree(context)
    runner.progress(f"{name}: {wanted.reference}, {unpacked / 1e6:.0f} MB, in {time.monotonic() - begin:.0f} s")


def _forget(old: Sequence[Image], engine: Engine, cache: Cache, runner: Runner) -> None:
    for image in old:
        cache.remove(image)
    # A stand-in's reference is the same for every version of it: the storage keeps the newest under that name.
    engine.forget([image.reference for image in old if not _is_official(image)], runner)


def _is_official(image: Image) -> bool:
    return any(recipe.official == image.reference for recipe in choose(None))


def _runner(name: str, cache: Cache, lock: int, progress: Progress) -> Runner:
    # buildah keeps its cache mounts in the temporary folder: in ours, not in /var/tmp.
    environment = {"TMPDIR": str(cache.build / "tmp"), "DEBIAN_FRONTEND": "noninteractive"}
    (cache.build / "tmp").mkdir(exist_ok=True)
    log = cache.build / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("")
    return Runner(name, log, lock, progress, environment)


def _wanted(recipe: Recipe, engine: Engine) -> Wanted:
    sources = engine.sources(recipe)
    files = inputs.gather(CLONE, sources) if sources else ()
    fingerprint = inputs.fingerprint(files, engine.ingredients(recipe), recipe.official or "")
    return Wanted(recipe, files, fingerprint, recipe.reference(CLONE, fingerprint))
