"""What an image is made from: the hash changes with every input and with nothing else."""

import subprocess
from pathlib import Path

import pytest

from genai_testbed.errors import MissingPrerequisite
from genai_testbed.images.inputs import InputFile, fingerprint, gather, write

FILES = (InputFile("app/main.py", b"print(1)"), InputFile("app/run.sh", b"exit 0", executable=True))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A git repository with a tracked, an untracked and an ignored file under `app`, and one file elsewhere."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for path, text in {
        ".gitignore": "*.pyc\n", "app/tracked.py": "1", "app/untracked.py": "2", "app/cached.pyc": "3",
        "docs/page.md": "4",
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    subprocess.run(["git", "add", "app/tracked.py"], cwd=tmp_path, check=True)
    return tmp_path


def test_tracked_and_new_files_are_inputs_ignored_and_foreign_ones_are_not(clone: Path) -> None:
    assert [file.path for file in gather(clone, ["app"])] == ["app/tracked.py", "app/untracked.py"]


def test_a_deleted_file_is_no_input_although_git_still_tracks_it(clone: Path) -> None:
    (clone / "app/tracked.py").unlink()
    assert [file.path for file in gather(clone, ["app"])] == ["app/untracked.py"]


def test_an_executable_bit_is_seen(clone: Path) -> None:
    (clone / "app/tracked.py").chmod(0o755)
    assert [file.executable for file in gather(clone, ["app"])] == [True, False]


def test_outside_a_clone_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match="from a git clone"):
        gather(tmp_path, ["app"])


def test_equal_inputs_have_equal_fingerprints() -> None:
    assert fingerprint(FILES, "base") == fingerprint(list(FILES), "base")
    assert len(fingerprint(FILES)) == 12


@pytest.mark.parametrize(
    ("files", "more"),
    [
        ((InputFile("app/main.py", b"print(2)"), FILES[1]), ("base",)),
        ((InputFile("app/other.py", b"print(1)"), FILES[1]), ("base",)),
        ((InputFile("app/main.py", b"print(1)", executable=True), FILES[1]), ("base",)),
        (FILES[:1], ("base",)),
        (FILES, ("another base",)),
        (FILES, ("ba", "se")),
        (FILES, ()),
    ],
    ids=["content", "name", "executable", "a file less", "base", "parts", "no base"],
)
def test_any_change_changes_the_fingerprint(files: tuple[InputFile, ...], more: tuple[str, ...]) -> None:
    assert fingerprint(files, *more) != fingerprint(FILES, "base")


def test_bytes_do_not_wander_between_files_unnoticed() -> None:
    assert fingerprint([InputFile("a", b"12"), InputFile("b", b"3")]) != fingerprint(
        [InputFile("a", b"1"), InputFile("b", b"23")]
    )


def test_a_context_has_the_hashed_bytes_even_when_the_clone_changed_since(clone: Path, tmp_path: Path) -> None:
    files = gather(clone, ["app"])
    (clone / "app/tracked.py").write_text("edited meanwhile")
    write(files, tmp_path / "context")
    assert (tmp_path / "context/app/tracked.py").read_text() == "1"
    assert len({path.stat().st_mtime for path in (tmp_path / "context/app").iterdir()}) == 1
