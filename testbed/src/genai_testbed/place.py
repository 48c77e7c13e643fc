"""The place where the processes run: this machine, or the namespaces that another process holds."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Place:
    """`holder`: the pid whose namespaces to enter, None for the machine's own; `path`: where to look up programs."""

    holder: int | None = None
    path: str = SYSTEM_PATH

    def command(self, argv: Sequence[str]) -> list[str]:
        """What to run here so that `argv` runs there."""
        if self.holder is None:
            return list(argv)
        # Not `ip netns exec`: that remounts /sys and hides the cgroup mounts from kubelet.
        return ["nsenter", f"--target={self.holder}", "--mount", "--net", "--pid", "--wd=/", "--", *argv]

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run there and wait; the caller looks at the exit code."""
        return subprocess.run(
            self.command(argv), env={"PATH": self.path, "HOME": "/", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
