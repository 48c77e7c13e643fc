"""Steps with elapsed time: a live line on a terminal, plain lines with a heartbeat elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

HEARTBEAT = 30.0
"""Seconds between lines in a log file, so that nobody takes a long compile for a hang."""


class Progress:
    """Shows what is being done. Writes to standard error: standard output stays for results."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str, hint: str = "") -> Iterator[None]:
        """Show `text` while the block runs, then how long it took; `hint` says how long that usually is."""
        begin = time.monotonic()
        try:
            with self._running(f"{text} … {hint}".rstrip()):
                yield
        except BaseException:
            self.console.print(f"  [red]✗[/] {text} [dim]({time.monotonic() - begin:.1f} s)[/]")
            raise
        self.console.print(f"  [green]✓[/] {text} [dim]({time.monotonic() - begin:.1f} s)[/]")

    def note(self, text: str) -> None:
        """One line that is no step."""
        self.console.print(f"  {text}")

    @contextmanager
    def _running(self, text: str) -> Iterator[None]:
        if self.console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with RichProgress(*columns, console=self.console, transient=True) as live:
                live.add_task(text, total=None)
                yield
            return
        self.console.print(f"  … {text}")
        done = threading.Event()
        beat = threading.Thread(target=self._beat, args=(text, done), daemon=True)
        beat.start()
        try:
            yield
        finally:
            done.set()
            beat.join()

    def _beat(self, text: str, done: threading.Event) -> None:
        begin = time.monotonic()
        while not done.wait(HEARTBEAT):
            self.console.print(f"  … {text} ({time.monotonic() - begin:.0f} s so far)")
