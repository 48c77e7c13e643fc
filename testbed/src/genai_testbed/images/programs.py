"""Running the programs that build: output goes to a log, and now and then a line of it to whoever is waiting."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.images.cache import Progress
from genai_testbed.images.errors import ImageBuildFailed

SECONDS_BETWEEN_LINES = 5.0
_STEP = re.compile(r"(\[\d+/\d+\] )?STEP \d+/\d+: ")


@dataclass(frozen=True)
class Runner:
    """Starts programs for one image: `log` collects what they say, `lock` is held by them too."""

    name: str
    log: Path
    lock: int
    progress: Progress
    environment: Mapping[str, str]

    def run(self, command: Sequence[str], cwd: Path | None = None) -> str:
        """The program's standard output and error. Raises ImageBuildFailed with the last lines and the log's place."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        lines: list[str] = []
        told = time.monotonic()
        with self.log.open("a") as log:
            log.write(f"$ {shlex.join(command)}\n")
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", pass_fds=(self.lock,), cwd=cwd, env={**os.environ, **self.environment},
            )  # fmt: skip
            with process:
                for line in process.stdout or ():
                    log.write(line)
                    lines.append(line.rstrip())
                    if line.strip() and (_STEP.match(line) or time.monotonic() - told > SECONDS_BETWEEN_LINES):
                        told = time.monotonic()
                        self.progress(f"{self.name}: {line.strip()[:100]}")
        if process.returncode:
            last = "\n  ".join(lines[-15:])
            raise ImageBuildFailed(
                f"{command[0]} ended with {process.returncode} while making {self.name}:\n  {last}\n"
                f"The whole log is {self.log}"
            )
        return "\n".join(lines)
