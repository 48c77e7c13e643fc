"""`up`, `down` and `status` of a test bed: idempotent, and able to follow a run that was killed at any point."""

import itertools
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from genai_testbed import addons, cgroups, configuration, isolation, layout, packages, pki, supervision, tools
from genai_testbed.addons import METRICS_API
from genai_testbed.configuration import CONTAINERD_SOCKET
from genai_testbed.errors import MissingPrerequisite, NotReady, TestbedError
from genai_testbed.kubectl import Kubectl, KubectlError, Manifest
from genai_testbed.layout import NODE_NAME, Bed, Level
from genai_testbed.locks import exclusive
from genai_testbed.pause import PAUSE_IMAGE, find_busybox, write_archive
from genai_testbed.place import SYSTEM_PATH, Place
from genai_testbed.processes import PYTHON, Process, wanted
from genai_testbed.progress import Progress

NODE_READY_SECONDS = 90.0
WAITED_FOR = (
    ("node", NODE_NAME, "Ready", "kubelet"),
    ("apiservice", METRICS_API, "Available", "metrics-server"),  # else every list of the API's kinds is incomplete
)
"""Kind, name and condition of what makes a node complete, and the process whose log says why it is not."""


@dataclass(frozen=True)
class Row:
    """One process in `status`; `since` in seconds since the epoch; without a pid it does not run."""

    name: str
    pid: int | None
    since: float | None
    ready: bool


def up(level: Level, progress: Progress, state: Path | None = None) -> Bed:
    """Have a test bed of at least that level. What runs and is well stays untouched. Raises TestbedError."""
    state = state or layout.state_folder()
    isolated = os.geteuid() == 0
    programs = prepare(level, progress)
    processes = wanted(level, isolated=isolated)
    with _locked(state, progress):
        bed = _usable(layout.existing(state), isolated=isolated) or layout.create(state, isolated=isolated)
        pki.ensure(bed)
        _write_configuration(bed, level)
        place = _switch_on(bed, level)
        for stage in sorted({each.stage for each in processes}):
            _ensure_started(bed, place, [each for each in processes if each.stage == stage], programs, progress)
            if stage == 1 and level is Level.NODE:
                _ensure_pause_image(bed, place)
        if level is Level.NODE:
            _ensure_node_ready(bed, progress)
    return bed


def prepare(level: Level, progress: Progress) -> Mapping[str, Path]:
    """Have what takes long the first time: packages and compiled programs, by name. Raises TestbedError."""
    isolated = os.geteuid() == 0
    require(level, isolated=isolated)
    if isolated:
        packages.ensure(level, progress)
    return _programs(wanted(level, isolated=isolated), progress)


def require(level: Level, *, isolated: bool) -> None:
    """Refuse early what cannot work here. Raises MissingPrerequisite."""
    tools.find_go()
    if level is Level.CONTROL_PLANE:
        return
    if not isolated:
        raise MissingPrerequisite(
            "The level node needs root: run it with sudo. Without root: --level control-plane, or CLUSTER=kind."
        )
    cgroups.current()


def down(progress: Progress, state: Path | None = None) -> bool:
    """Leave no process, mount, cgroup, network or folder of this test bed. False when there was nothing."""
    state = state or layout.state_folder()
    bed_id = layout.bed_id(state)
    with _locked(state, progress):
        bed = layout.existing(state)
        if bed and bed.isolated and os.geteuid() != 0:
            raise TestbedError("This test bed was started by root: run `sudo genai-testbed down`.")
        hierarchies = [each for each in cgroups.mount_points() if (each / layout.cgroup_name(bed_id)).exists()]
        if not (hierarchies or state.exists() or supervision.find(bed_id)):
            progress.note("There is no test bed to take down.")
            return False
        with progress.step("stop the processes"):
            _stop(bed_id)
        with progress.step("remove cgroups and files"):
            cgroups.remove(layout.cgroup_name(bed_id), hierarchies)
            if state.exists():
                shutil.rmtree(state)
            if os.geteuid() == 0:
                isolation.remove_empty_folders()
    return True


def _stop(bed_id: str) -> None:
    if machine := isolation.holder(bed_id):
        supervision.end([machine], grace=0)  # the kernel ends all that is inside
    # Again until nothing is found: a process may have been starting another one while we looked.
    while left := [each for group in supervision.find(bed_id).values() for each in group]:
        supervision.end(left, grace=0 if machine else 3)


def status(state: Path | None = None) -> tuple[Bed, tuple[Row, ...]] | None:
    """The processes as they are now, or None when there is no test bed."""
    bed = layout.existing(state or layout.state_folder())
    if bed is None:
        return None
    found = supervision.find(bed.id)
    machine = isolation.holder(bed.id)
    place = Place(machine.pid if machine else None, program_path())
    level = Level.NODE if (bed.config / "kubelet.yaml").exists() else Level.CONTROL_PLANE
    rows = []
    for process in wanted(level, isolated=bed.isolated):
        main = supervision.main_process(found, process.name, process.executable)
        ready = main is not None and supervision.is_ready(bed, place, process)
        rows.append(Row(process.name, main.pid if main else None, main.create_time() if main else None, ready))
    return bed, tuple(rows)


def inside(state: Path | None = None) -> tuple[Bed, Place]:
    """The running node and the way into it. Raises NotReady when it is off."""
    bed = layout.existing(state or layout.state_folder())
    if bed is None:
        raise NotReady("There is no test bed: genai-testbed up")
    machine = isolation.holder(bed.id)
    if bed.isolated and machine is None:
        raise NotReady("The test bed is off: genai-testbed up")
    return bed, Place(machine.pid if machine else None, program_path())


def load_images(archives: Sequence[Path], progress: Progress, state: Path | None = None) -> None:
    """Import image archives (docker or OCI), those it has aside. Raises NotReady when there is no node."""
    bed, place = inside(state)
    for archive in archives:
        loaded = bed.loaded(archive)
        if not loaded.exists():
            with progress.step(f"load {archive.name} into the node"):
                _import(place, archive)
            loaded.parent.mkdir(exist_ok=True)
            loaded.touch()


def program_path() -> str:
    """Where the node's programs look up other programs."""
    folder = packages.containerd_folder()
    return f"{folder}:{SYSTEM_PATH}" if folder else SYSTEM_PATH


def _locked(state: Path, progress: Progress) -> AbstractContextManager[int]:
    return exclusive(layout.lock_file(state), lambda: progress.note("Waiting for another up or down of this clone …"))


def _usable(bed: Bed | None, *, isolated: bool) -> Bed | None:
    """The existing test bed, if this user can go on with it. Raises TestbedError."""
    if bed and bed.isolated and not isolated:
        raise TestbedError("This test bed was started by root: go on with sudo, or `sudo genai-testbed down` first.")
    if bed and isolated and not bed.isolated:
        raise TestbedError("This test bed was started without root: run `genai-testbed down` first, then up as root.")
    return bed


def _programs(processes: Sequence[Process], progress: Progress) -> Mapping[str, Path]:
    """Program name → path: compiled, or found among the packages' programs."""
    names = [each.executable for each in processes]
    compiled = tools.ensure([name for name in names if name in tools.PROGRAMS], progress)
    # Not sys.executable: it has another name when Python was started by another, and that would look like a change.
    programs = {PYTHON: Path(sys.prefix) / "bin" / PYTHON, **compiled}
    if "containerd" in names:
        programs["containerd"] = Path(shutil.which("containerd", path=program_path()) or "containerd")
    return programs


def _write_configuration(bed: Bed, level: Level) -> None:
    for name, text in configuration.files(bed, level).items():
        path = bed.config / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = bed.config / ".partial"  # not beside it: containerd watches its folder and would read half a file
        partial.write_text(text)
        partial.replace(path)


def _switch_on(bed: Bed, level: Level) -> Place:
    if level is Level.NODE:
        cgroups.create(bed.cgroup, cgroups.current())
    return isolation.ensure(bed, program_path()) if bed.isolated else Place(None, program_path())


def _ensure_started(
    bed: Bed, place: Place, processes: Sequence[Process], programs: Mapping[str, Path], progress: Progress
) -> None:
    """Start together what does not run, then wait for each."""
    started = [
        each
        for each in processes
        if supervision.ensure(bed, place, each, [str(programs[each.executable]), *each.arguments(bed)])
    ]
    for process in started:
        with progress.step(f"start {process.name}"):
            supervision.wait_ready(bed, place, process)


def _ensure_pause_image(bed: Bed, place: Place) -> None:
    """Before kubelet starts a first pod: every pod needs it."""
    known = place.run("ctr", f"--address={CONTAINERD_SOCKET}", "--namespace=k8s.io", "images", "list", "--quiet")
    if PAUSE_IMAGE not in known.stdout.split():
        _import(place, write_archive(find_busybox(), bed.state / "pause.tar"))


def _import(place: Place, archive: Path) -> None:
    done = place.run("ctr", f"--address={CONTAINERD_SOCKET}", "--namespace=k8s.io", "images", "import", str(archive))
    if done.returncode != 0:
        raise TestbedError(f"{archive} was not imported: {done.stdout.strip()}. Is it a docker or OCI archive?")


def _ensure_node_ready(bed: Bed, progress: Progress) -> None:
    kubectl = Kubectl(bed.kubeconfig)
    with progress.step("wait for the node and its add-ons"):
        deadline = time.monotonic() + NODE_READY_SECONDS
        _apply(kubectl, addons.manifests())
        for kind, name, condition, process in WAITED_FOR:
            while not _is_true(kubectl, kind, name, condition):
                if time.monotonic() > deadline:
                    raise NotReady(
                        f"The {kind} {name} was not {condition} after {NODE_READY_SECONDS:.0f} s. The end of "
                        f"{process}'s log:\n{supervision.log_end(bed.log(process))}"
                    )
                time.sleep(0.2)


def _apply(kubectl: Kubectl, manifests: Sequence[Manifest]) -> None:
    for namespace, group in itertools.groupby(manifests, lambda each: each["metadata"].get("namespace", "default")):
        items = {"apiVersion": "v1", "kind": "List", "items": list(group)}
        kubectl.within(namespace).apply(json.dumps(items))


def _is_true(kubectl: Kubectl, kind: str, name: str, condition: str) -> bool:
    try:
        found = kubectl.find(kind, name) or {}
    except KubectlError:
        return False
    conditions = found.get("status", {}).get("conditions", [])
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)
