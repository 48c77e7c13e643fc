"""Starting, finding and ending the processes of a test bed.

Nothing is written down about them: each carries the test bed's mark in its environment, and so do its descendants, so
a run that was killed at any point leaves nothing that the next one does not find.
"""

import os
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from genai_testbed.errors import NotReady, TestbedError
from genai_testbed.layout import Bed
from genai_testbed.place import Place
from genai_testbed.probes import answers, http_ok
from genai_testbed.processes import Alive, Answers, Command, Http, Process

MARK = "GENAI_TESTBED"
ROLE = "GENAI_TESTBED_PROCESS"
WRAPPERS = frozenset({"nsenter", "setsid", "unshare", "env"})
"""Programs that only lead to another: on the way to it, or waiting for its end."""

LOOKS_UNTIL_ENDED = 5
"""A process has no environment for a moment while it becomes another program: one look proves nothing."""

Found = Mapping[str, Sequence[psutil.Process]]


def find(bed_id: str) -> Found:
    """All living processes of that test bed by the role they carry, descendants included, the oldest first."""
    found: dict[str, list[psutil.Process]] = defaultdict(list)
    for process, environment in _marked():
        if environment[MARK] == bed_id:
            found[environment.get(ROLE, "")].append(process)
    for group in found.values():
        group.sort(key=lambda each: each.pid)
    return found


def any_bed() -> bool:
    """Whether a process of any test bed lives on this machine."""
    return next(_marked(), None) is not None


def _marked() -> Iterator[tuple[psutil.Process, Mapping[str, str]]]:
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue  # it has ended, or is not ours to look at
        if MARK in environment:
            yield process, environment


def main_process(found: Found, role: str, program: str) -> psutil.Process | None:
    """The one that runs the role's own program: no wrapper, no descendant with another name."""
    return next((each for each in found.get(role, ()) if program_name(each) == program), None)


def program_name(process: psutil.Process) -> str:
    """The file name of what it runs; empty when it has just ended."""
    return Path((command_line(process) or [""])[0]).name


def command_line(process: psutil.Process) -> list[str]:
    """Its arguments, the program's path first; empty when it has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def ensure(bed: Bed, place: Place, process: Process, argv: Sequence[str]) -> bool:
    """Leave it alone when it runs as it should and answers in time, else start it anew. True when it was started."""
    main = main_process(find(bed.id), process.name, process.executable)
    if main and command_line(main) == list(argv) and _answers_within(bed, place, process, process.seconds / 4):
        return False
    # Only the program itself: containerd's descendants carry the pods, which survive its restart.
    own = {process.executable, *WRAPPERS}
    end([each for each in find(bed.id).get(process.name, ()) if program_name(each) in own], grace=5)
    start(bed, place, process.name, argv, listens=process.listens(bed) if process.listens else None)
    return True


def start(bed: Bed, place: Place, role: str, argv: Sequence[str], *, listens: int | None = None) -> None:
    """Start a process that outlives this one; its output goes to the role's log, its input is the listening socket."""
    environment = {"PATH": place.path, "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", MARK: bed.id, ROLE: role}
    with ExitStack() as stack:
        log = stack.enter_context(bed.log(role).open("ab"))
        source = subprocess.DEVNULL if listens is None else stack.enter_context(_listener(listens)).fileno()
        # setsid --fork: no terminal, no job of this shell, and nothing that this process would have to wait for.
        command = ["setsid", "--fork", *place.command(argv)]
        subprocess.run(command, stdin=source, stdout=log, stderr=log, env=environment, cwd="/", check=True)


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise TestbedError(
            f"Port {port} of 127.0.0.1, which this test bed's kubeconfig names, is taken by another program ({error}). "
            "End that program, or start anew with another port: genai-testbed down, then up."
        ) from error


def is_ready(bed: Bed, place: Place, process: Process) -> bool:
    """Ask once."""
    match process.ready:
        case Http(port, path, tls):
            return http_ok(port(bed), path, tls=tls, network_of=place.holder)
        case Answers(port):
            return answers(port(bed))
        case Command(argv):
            return place.run(*argv).returncode == 0
        case Alive():
            return True


def wait_ready(bed: Bed, place: Place, process: Process) -> None:
    """Return when it is ready. Raises NotReady with the end of its log when it ends or takes too long."""
    deadline = time.monotonic() + process.seconds
    unseen = 0
    while True:
        found = find(bed.id)
        main = main_process(found, process.name, process.executable)
        if main and is_ready(bed, place, process):
            return
        there = main or any(program_name(each) in WRAPPERS for each in found.get(process.name, ()))
        unseen = 0 if there else unseen + 1
        ended = unseen >= LOOKS_UNTIL_ENDED
        if ended or time.monotonic() > deadline:
            what = "ended" if ended else f"was not ready after {process.seconds:.0f} s"
            raise NotReady(
                f"{process.name} {what}. The end of its log:\n{log_end(bed.log(process.name))}\n"
                f"All of it: genai-testbed logs {process.name}"
            )
        time.sleep(0.1)


def _answers_within(bed: Bed, place: Place, process: Process, seconds: float) -> bool:
    """Patience before a restart: on a busy machine a healthy process may answer late."""
    deadline = time.monotonic() + seconds
    while not is_ready(bed, place, process):
        main = main_process(find(bed.id), process.name, process.executable)
        if main is None or time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def log_end(log: Path, lines: int = 15) -> str:
    """The last lines of a log, or a word on why there are none."""
    if not log.exists():
        return f"({log} does not exist)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or f"({log} is empty)"


def end(processes: Sequence[psutil.Process], grace: float) -> None:
    """Ask to end, wait `grace` seconds, kill the rest; 0 kills at once. Raises TestbedError when one does not end."""
    for process in processes:
        _signal(process, kill=grace == 0)
    alive = _wait(processes, grace)
    for process in alive:
        _signal(process, kill=True)
    if immortal := _wait(alive, 10):
        names = ", ".join(str(each.pid) for each in immortal)
        raise TestbedError(f"The processes {names} do not end even when killed: is a disk or a mount stuck?")


def _wait(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after that time. A zombie is dead: in a container nobody may ever bury it."""
    deadline = time.monotonic() + seconds
    while (alive := [each for each in processes if _lives(each)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
