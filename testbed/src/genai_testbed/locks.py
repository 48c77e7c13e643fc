"""A lock between processes: it ends with its holders, so a killed one never blocks the next."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None]) -> Iterator[int]:
    """Hold the lock file `path` while the block runs; calls `waiting` once when another process has it.

    Yields the file descriptor: a child that inherits it (`pass_fds`) keeps the lock when this process is killed.
    """
    with _opened(path) as descriptor:
        if not _locked(descriptor, fcntl.LOCK_EX):
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor


@contextmanager
def shared(path: Path) -> Iterator[Callable[[], bool]]:
    """Count as one of several users of `path` while the block runs; yields a question: is no other user left?"""
    with _opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield lambda: _locked(descriptor, fcntl.LOCK_EX)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)  # reading suffices: root may have made it
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
