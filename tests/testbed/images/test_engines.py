"""The command lines of both builders."""

from pathlib import Path

import pytest

from genai_testbed.images import base
from genai_testbed.images.buildah import Buildah
from genai_testbed.images.cache import Cache
from genai_testbed.images.catalogue import RECIPES, Recipe
from genai_testbed.images.client_settings import Secret
from genai_testbed.images.debian import Mirror
from genai_testbed.images.docker import Docker
from genai_testbed.images.engine import Engine, Order, build_arguments

APP, OPERATOR, POSTGRES, REDIS = RECIPES


def order(recipe: Recipe, reference: str) -> Order:
    return Order(recipe, reference, Path("/ctx"), (Secret("pip_conf", Path("/s/pip_conf")),), Path("/out.tar"))


def test_a_build_names_file_tag_base_secrets_and_context() -> None:
    wanted = order(APP, "docker.io/genai-auto/app:0.1.0-abc")
    assert build_arguments(wanted, "python:3.13-slim", {}) == [
        "--file", "/ctx/Dockerfile.app",
        "--tag", "docker.io/genai-auto/app:0.1.0-abc",
        "--label", "org.opencontainers.image.version=0.1.0-abc",
        "--build-arg", "BASE_IMAGE=python:3.13-slim",
        "--secret", "id=pip_conf,src=/s/pip_conf",
        "/ctx",
    ]  # fmt: skip


def test_a_proxy_is_named_and_its_value_is_not_on_the_command_line() -> None:
    arguments = build_arguments(order(APP, "a:1"), "b", {"HTTPS_PROXY": "http://me:secret@proxy.example"})
    assert arguments[arguments.index("HTTPS_PROXY") - 1] == "--build-arg"
    assert not any("secret@" in argument for argument in arguments)


def test_a_stand_in_carries_no_version_of_ours() -> None:
    assert "--label" not in build_arguments(order(POSTGRES, "docker.io/pgvector/pgvector:pg17"), "b", {})


def test_buildah_works_on_a_storage_of_its_own(tmp_path: Path) -> None:
    storage = tmp_path / "build" / "overlay"
    assert Buildah(Cache(tmp_path)).command("images") == [
        "buildah", "--storage-driver", "overlay", "--root", f"{storage}/root", "--runroot", f"{storage}/run", "images",
    ]  # fmt: skip


def test_a_machine_without_overlay_keeps_its_choice_and_a_separate_storage(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "no-overlay").touch()
    command = Buildah(Cache(tmp_path)).command("images")
    assert command[2] == "vfs"
    assert str(tmp_path / "build" / "vfs" / "root") in command


def test_debootstrap_checks_signatures_and_uses_the_machines_mirror() -> None:
    source = Mirror("https://mirror.example/debian", "/keys/debian.gpg")
    assert base.debootstrap_arguments(source, Path("/target")) == [
        "debootstrap", "--variant=minbase", "--include=ca-certificates,python3,python3-venv",
        "--keyring=/keys/debian.gpg", "trixie", "/target", "https://mirror.example/debian",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "recipe", "sources"),
    [
        (Docker(), APP, ("Dockerfile.app", ".dockerignore", "constraints.txt", "contract", "app")),
        (Docker(), POSTGRES, ()),
        (Buildah(Cache(Path("/c"))), OPERATOR,
         ("Dockerfile.operator", ".dockerignore", "constraints.txt", "contract", "operator")),
        (Buildah(Cache(Path("/c"))), REDIS, ("testbed/images/redis.Containerfile",)),
    ],
    ids=["docker builds ours", "docker pulls the official ones", "buildah builds ours", "buildah builds stand-ins"],
)  # fmt: skip
def test_what_an_image_is_made_from(engine: Engine, recipe: Recipe, sources: tuple[str, ...]) -> None:
    assert engine.sources(recipe) == sources


def test_the_same_files_on_another_base_are_another_image() -> None:
    assert Docker().ingredients(APP) != Buildah(Cache(Path("/c"))).ingredients(APP)


def test_a_base_is_cleaned_of_the_moment_and_the_machine(tmp_path: Path) -> None:
    for path in ("etc/resolv.conf", "etc/apt/sources.list", "usr/share/doc/tar/README", "var/log/apt/x", "etc/passwd"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / "usr/sbin").mkdir()
    base.clean(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"etc/passwd", "usr/sbin/policy-rc.d"}
