"""The pause image: a static busybox that sleeps, written as a docker archive by Python alone."""

import hashlib
import io
import json
import platform
import shutil
import struct
import tarfile
from pathlib import Path

from genai_testbed.errors import MissingPrerequisite

PAUSE_IMAGE = "localhost/genai-auto/pause:1"
APPLETS = ("cat", "chmod", "chown", "env", "id", "ls", "mkdir", "nslookup", "rm", "sh", "sleep", "wget")
"""What the volume provisioner's helper and a person who looks around need."""

PT_INTERP = 3

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def find_busybox() -> Path:
    """The static busybox. Raises MissingPrerequisite when it is absent or needs libraries that the image has not."""
    found = shutil.which("busybox", path="/usr/bin:/bin")
    if found is None or needs_loader(Path(found).read_bytes()):
        raise MissingPrerequisite("The pause image needs a static busybox: apt-get install busybox-static")
    return Path(found)


def needs_loader(program: bytes) -> bool:
    """Whether a 64-bit ELF program asks for a dynamic loader (has a program header PT_INTERP)."""
    if program[:5] != b"\x7fELF\x02":
        return True
    (table,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    return any(struct.unpack_from("<I", program, table + size * each)[0] == PT_INTERP for each in range(count))


def write_archive(busybox: Path, archive: Path) -> Path:
    """Write the image to `archive`, the same bytes for the same busybox; atomic."""
    layer = _layer(busybox.read_bytes())
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": ["/bin/busybox", "sleep", "infinity"], "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    partial = archive.with_suffix(".partial")
    with tarfile.open(partial, "w") as tar:
        for name, content in (
            ("layer.tar", layer), (config_name, config), ("manifest.json", json.dumps(manifest).encode()),
        ):  # fmt: skip
            tar.addfile(_file(name, len(content), 0o644), io.BytesIO(content))
    return partial.replace(archive)


def _layer(busybox: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, mode in (("bin", 0o755), ("tmp", 0o1777)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        tar.addfile(_file("bin/busybox", len(busybox), 0o755), io.BytesIO(busybox))
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return buffer.getvalue()


def _file(name: str, size: int, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    return info
