"""Finished images on disk: complete or absent, whatever was killed when."""

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from genai_testbed.images.building import outdated
from genai_testbed.images.cache import Cache, Image


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def quiet(message: str) -> None:
    """Nobody watches."""
    assert message


def add(cache: Cache, name: str, fingerprint: str) -> Image:
    partial = cache.archive(name, fingerprint).with_suffix(".partial")
    partial.write_text("layers")
    return cache.add(name, fingerprint, f"docker.io/genai-auto/{name}:1-{fingerprint}", partial, 42)


def test_what_was_added_is_found_again(cache: Cache) -> None:
    with cache.locked(quiet):
        image = add(cache, "app", "abc")
    assert cache.find("app", "abc") == image == Image("app", "docker.io/genai-auto/app:1-abc", image.archive, 42)
    assert cache.find("app", "abd") is None


def test_an_archive_that_was_half_written_is_no_image_and_is_cleared(cache: Cache) -> None:
    with cache.locked(quiet):
        partial = cache.archive("app", "abc").with_suffix(".partial")
        partial.write_text("half")
    assert cache.find("app", "abc") is None
    with cache.locked(quiet):
        assert not partial.exists()


def test_scratch_is_empty_for_every_build(cache: Cache) -> None:
    def fail() -> None:
        with cache.locked(quiet):
            (cache.scratch / "context").mkdir()
            raise RuntimeError("build failed")

    with pytest.raises(RuntimeError, match="build failed"):
        fail()
    with cache.locked(quiet):
        assert list(cache.scratch.iterdir()) == []


def test_a_second_builder_says_that_it_waits_and_then_builds(cache: Cache) -> None:
    said, waits = [], threading.Event()

    def note(message: str) -> None:
        said.append(message)
        waits.set()

    def second() -> None:
        with cache.locked(note):
            add(cache, "app", "abc")

    thread = threading.Thread(target=second)
    with cache.locked(quiet):
        thread.start()
        assert waits.wait(10)
        assert cache.find("app", "abc") is None
    thread.join(10)
    assert said == ["waiting for another build on this machine to end"]
    assert cache.find("app", "abc") is not None


def test_a_program_of_a_killed_builder_keeps_the_lock_while_it_is_at_work(cache: Cache) -> None:
    with cache.locked(quiet) as lock:
        orphan = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(lock,)
        )
    with (cache.build / "lock").open() as probe:
        with pytest.raises(BlockingIOError):
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        orphan.communicate(b"\n", timeout=10)
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert orphan.returncode == 0


def test_removal_leaves_nothing(cache: Cache) -> None:
    with cache.locked(quiet):
        cache.remove(add(cache, "app", "abc"))
    assert list(cache.images.iterdir()) == []


def test_the_newest_of_each_name_and_the_kept_ones_stay() -> None:
    images = [Image(name, "r", Path(f"{name}-{age}.tar"), 1) for age in (1, 2, 3) for name in ("app", "operator")]
    gone = outdated(images, keep=[images[4]], kept_of_each=1)
    assert [str(image.archive) for image in gone] == ["app-2.tar", "operator-2.tar", "operator-3.tar"]
