"""Reading an image archive: what a container would see of its layers."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from genai_testbed.images import archive


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def layer(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            add(tar, name, content)
    return buffer.getvalue()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Three layers: the second replaces and deletes, the third hides a folder and fills it anew."""
    layers = {
        "1.tar": layer({"bin/tool": b"old", "etc/secret": b"12345", "opt/lib/a": b"aa", "opt/lib/b": b"bb"}),
        "2.tar": layer({"./bin/tool": b"newer", "etc/.wh.secret": b""}),
        "3.tar": layer({"opt/lib/.wh..wh..opq": b"", "opt/lib/c": b"c"}),
    }
    manifest = [{"Config": "config.json", "RepoTags": ["docker.io/x/y:1"], "Layers": list(layers)}]
    path = tmp_path / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in layers.items():
            add(tar, name, content)
        add(tar, "config.json", json.dumps({"config": {"User": "65532:65532"}}).encode())
        add(tar, "manifest.json", json.dumps(manifest).encode())
    return path


def test_upper_layers_replace_delete_and_hide(image: Path) -> None:
    with archive.opened(image) as contents:
        assert sorted(contents.files()) == ["/bin/tool", "/opt/lib/c"]
        assert contents.read("/bin/tool") == b"newer"
        assert contents.unpacked_bytes() == len(b"newer" + b"c")


def test_configuration_and_names_are_read(image: Path) -> None:
    with archive.opened(image) as contents:
        assert contents.config["config"]["User"] == "65532:65532"
        assert contents.tags == ("docker.io/x/y:1",)
