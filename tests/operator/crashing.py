"""A nursery of operators: its modules are loaded once, so that each operator starts within a moment, and may be killed.

As a program it reads one line with a log file for each operator, and answers with the process that it has forked.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self


class Nursery:
    """Starts and kills operators for all namespaces; `with` it."""

    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        self._variables = variables
        self._log = log
        self._pid = 0
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **self._variables},
        )  # fmt: skip
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)

    def start(self) -> None:
        """Have one operator running."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self._log}\n")
        self._process.stdin.flush()
        self._pid = int(self._process.stdout.readline())

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self._pid, signal.SIGKILL)

    def restart(self) -> None:
        """Kill it, and start the next one."""
        with self._one_at_a_time:  # two power cuts may come at once
            self.kill()
            self.start()


def main() -> None:
    """Fork on demand until the input ends."""
    from genai_operator.logs import configure_logs
    from genai_operator.running import run_operator
    from genai_operator.settings import OperatorSettings

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for line in sys.stdin:
        pid = os.fork()
        if pid:
            print(pid, flush=True)  # noqa: T201 - the answer
            continue
        descriptor = os.open(line.strip(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        sys.stdin.close()
        configure_logs("INFO")
        asyncio.run(run_operator(OperatorSettings(), ()))
        os._exit(0)


if __name__ == "__main__":
    main()
