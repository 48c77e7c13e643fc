"""The pause image is a docker archive that containerd takes."""

import hashlib
import json
import struct
import tarfile
from pathlib import Path

import pytest

from genai_testbed.pause import APPLETS, PAUSE_IMAGE, needs_loader, write_archive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"a program")
    return write_archive(busybox, tmp_path / "pause.tar")


def read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(name)
        assert member
        return member.read()


def test_manifest_config_and_layer_fit_together(archive: Path) -> None:
    (manifest,) = json.loads(read(archive, "manifest.json"))
    config = json.loads(read(archive, manifest["Config"]))
    layer = read(archive, manifest["Layers"][0])
    assert manifest["RepoTags"] == [PAUSE_IMAGE]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert config["config"]["Entrypoint"] == ["/bin/busybox", "sleep", "infinity"]


def test_the_layer_has_a_shell(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "layer.tar").write_bytes(read(archive, "layer.tar"))
    with tarfile.open(tmp_path / "layer.tar") as layer:
        assert layer.getmember("bin/busybox").mode == 0o755
        assert {name for name in APPLETS if layer.getmember(f"bin/{name}").linkname == "busybox"} == set(APPLETS)


def test_the_same_program_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = write_archive(tmp_path / "busybox", tmp_path / "again.tar")
    assert again.read_bytes() == archive.read_bytes()


def elf(*kinds: int) -> bytes:
    """A 64-bit ELF header with program headers of these kinds."""
    header = bytearray(64)
    header[:5] = b"\x7fELF\x02"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, len(kinds))
    return bytes(header) + b"".join(struct.pack("<I52x", kind) for kind in kinds)


@pytest.mark.parametrize(
    ("program", "needed"),
    [(elf(1, 1), False), (elf(1, 3), True), (b"#!/bin/sh\n", True)],
    ids=["static", "dynamic", "script"],
)
def test_a_program_that_needs_libraries_is_told_apart(program: bytes, needed: bool) -> None:
    assert needs_loader(program) is needed
