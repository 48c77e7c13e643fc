"""Reading an image archive (the format of `docker save`) without unpacking it."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any


@dataclass(frozen=True)
class Contents:
    """An open archive: the image's configuration, its reference tags, and its layers, the lowest first."""

    config: dict[str, Any]
    tags: tuple[str, ...]
    layers: tuple[tarfile.TarFile, ...]

    def files(self) -> dict[str, tuple[int, tarfile.TarInfo]]:
        """What a container sees: path → (layer, entry), with lower files hidden or deleted by upper layers."""
        seen: dict[str, tuple[int, tarfile.TarInfo]] = {}
        for number, layer in enumerate(self.layers):
            for entry in layer:
                path = PurePosixPath("/", entry.name)
                if path.name == ".wh..wh..opq":
                    _forget(seen, str(path.parent), number, keep_folder=True)
                elif path.name.startswith(".wh."):
                    _forget(seen, str(path.with_name(path.name.removeprefix(".wh."))), number, keep_folder=False)
                else:
                    seen[str(path)] = (number, entry)
        return seen

    def read(self, path: str) -> bytes:
        """The bytes of one file. Raises KeyError when the image has none at that path."""
        number, entry = self.files()[path]
        stream = self.layers[number].extractfile(entry)
        return stream.read() if stream is not None else b""

    def unpacked_bytes(self) -> int:
        """The sum of all files that a container sees; a second name of a file costs nothing."""
        return sum(entry.size for _, entry in self.files().values() if entry.isreg())


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """Open an archive that holds one image."""
    with ExitStack() as stack:
        outer = stack.enter_context(tarfile.open(path))
        manifest = json.loads(_bytes(outer, "manifest.json"))[0]
        layers = tuple(
            stack.enter_context(tarfile.open(fileobj=outer.extractfile(name))) for name in manifest["Layers"]
        )
        config = json.loads(_bytes(outer, manifest["Config"]))
        yield Contents(config, tuple(manifest["RepoTags"] or ()), layers)


def _bytes(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream.read()


def _forget(seen: dict[str, tuple[int, tarfile.TarInfo]], path: str, number: int, *, keep_folder: bool) -> None:
    """Delete what lower layers have at `path` and below."""
    for known in list(seen):
        is_below = known.startswith(f"{path.rstrip('/')}/")
        if seen[known][0] < number and (is_below or (known == path and not keep_folder)):
            del seen[known]
