"""The namespaces that a node lives in: its own processes, network and mounts, all gone when one process is killed.

The process `machine` is number 1 of a PID namespace. When it ends the kernel ends everything in there (pods and their
shims too), and with the last process go the mounts and the network. Nothing has to be cleaned up one by one.
"""

import shlex
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import psutil

from genai_testbed import supervision
from genai_testbed.errors import MissingPrerequisite, NotReady
from genai_testbed.layout import NODE_ADDRESS, Bed, cache_folder
from genai_testbed.locks import exclusive
from genai_testbed.place import Place

ROLE = "machine"
PROGRAM = "sleep"
COMMAND = (
    "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--",
    # Number 1 adopts orphans; with SIGCHLD ignored the kernel buries them when they end.
    "env", "--ignore-signal=CHLD", PROGRAM, "infinity",
)  # fmt: skip

OWN_FOLDERS = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
"""Paths that are fixed in kubelet or the network plugins: inside, they lead into the state folder."""


def holder(bed_id: str) -> psutil.Process | None:
    """The process that holds the namespaces, or None when the node is off."""
    return supervision.main_process(supervision.find(bed_id), ROLE, PROGRAM)


def ensure(bed: Bed, path: str) -> Place:
    """The node's inside, switched on when it is off, as one switches on a machine. Raises MissingPrerequisite."""
    process = holder(bed.id)
    if process and Path(f"/proc/{process.pid}/root/run/booted").exists():
        return Place(process.pid, path)
    supervision.end([each for group in supervision.find(bed.id).values() for each in group], grace=0)
    for folder in OWN_FOLDERS:
        inside(bed, folder).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(inside(bed, "/var/lib/cni"))  # addresses of pods that ended when the machine went off
    inside(bed, "/var/lib/cni").mkdir()
    with _mount_points():
        return _boot(bed, path)


def _boot(bed: Bed, path: str) -> Place:
    supervision.start(bed, Place(), ROLE, COMMAND)
    place = Place(_wait_for_holder(bed), path)
    done = place.run("sh", "-c", "set -eu\n" + "\n".join(shlex.join(command) for command in boot_commands(bed)))
    if done.returncode != 0:
        raise MissingPrerequisite(
            f"The node's network or mounts could not be set up: {done.stdout.strip()}. In a container, start it with "
            "--privileged; on a machine, the kernel needs veth, bridge and tmpfs (modprobe veth bridge)."
        )
    return place


def boot_commands(bed: Bed) -> tuple[Sequence[str], ...]:
    """PURE: what makes fresh namespaces a machine. The last command is the sign that all went well."""
    return (
        ("mkdir", "-p", *OWN_FOLDERS),
        ("mount", "--make-rshared", "/"),  # kubelet and pods share mounts, as on any node; the machine sees none of it
        ("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"),
        *(("mount", "--bind", str(inside(bed, folder)), folder) for folder in OWN_FOLDERS),
        ("ip", "link", "set", "lo", "up"),
        # A veth pair with both ends inside: not every kernel has dummy devices.
        ("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0-peer"),
        ("ip", "addr", "add", f"{NODE_ADDRESS}/24", "dev", "eth0"),
        ("ip", "link", "set", "eth0", "up"),
        ("ip", "link", "set", "eth0-peer", "up"),
        ("ip", "route", "add", "default", "dev", "eth0"),
        ("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"),
        ("touch", "/run/booted"),
    )


def inside(bed: Bed, folder: str) -> Path:
    """Where the state folder keeps one of OWN_FOLDERS."""
    return bed.state / "node" / folder.lstrip("/")


def remove_empty_folders() -> None:
    """Take back the mount points that we made on the machine, once no test bed needs them; filled ones are not ours."""
    with _mount_points():
        if supervision.any_bed():
            return
        for path in map(Path, OWN_FOLDERS):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def _mount_points() -> AbstractContextManager[int]:
    """Only one test bed at a time makes or removes them: a removed mount point takes the mount on it away."""
    return exclusive(cache_folder() / "mount-points.lock", lambda: None)


def _wait_for_holder(bed: Bed, seconds: float = 5) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process := holder(bed.id):
            return process.pid
        time.sleep(0.02)
    raise NotReady(
        f"The node's namespaces could not be made:\n{supervision.log_end(bed.log(ROLE))}\n"
        "In a container, start it with --privileged; else use CLUSTER=kind where Docker runs."
    )
