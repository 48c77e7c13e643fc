"""P9 and P10: the operator on a real API server, beside the least loop that applies the same objects."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from genai_bench.benches import Found
from genai_bench.errors import BenchError
from genai_bench.figures import Goal, Row, Sense
from genai_bench.plan import Plan
from genai_bench.world import ROOT, STATE, Say
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired import desired_state
from genai_operator.desired.context import Context, Images
from genai_testbed import layout
from genai_testbed.clusters import Testbed
from genai_testbed.kubectl import Kubectl
from genai_testbed.waiting import eventually

SPEC: Final[dict[str, Any]] = {
    "environment": "Development", "llm": {"provider": "Offline"}, "deletionPolicy": "Delete",
}  # fmt: skip
CPU: Final = "ms CPU a resource"
PATIENCE: Final = 900.0
"""Seconds for what is done with all resources at once."""
IDLE_SECONDS: Final = 60.0
BARE: Final = Path(__file__).parent / "peers" / "bare_loop.py"


def operator(plan: Plan, say: Say) -> Found:
    """Create resources with each side, round by round; then start the operator anew with resources that are there."""
    bed = Testbed(state=layout.state_folder().with_name("bench-cluster"))
    say("Starting a control plane …")
    bed.ensure("control-plane")
    try:
        kubectl = Kubectl(bed.kubeconfig(), namespace="")
        kubectl.define((ROOT / "crds").glob("*.yaml"))
        return _measured(kubectl, plan, say)
    finally:
        bed.down()


def _measured(kubectl: Kubectl, plan: Plan, say: Say) -> Found:
    number = plan.resources
    cpu: dict[str, list[float]] = {"ours": [], "bare": []}
    waits: dict[str, list[float]] = {"ours": [], "bare": []}
    requests: list[float] = []
    for turn in range(plan.rounds):
        say(f"round {turn + 1} of {plan.rounds}: {number} resources with each")
        with _ours(kubectl) as side, _resources(kubectl, number) as make:
            before = _requests(side)
            cpu["ours"].append(_used(side, make, number))
            requests.append((_requests(side) - before) / number)
            waits["ours"].append(_alone(kubectl, plan.alone))
        with _bare(kubectl) as side, _resources(kubectl, number) as make:
            cpu["bare"].append(_used(side, make, number))
            waits["bare"].append(_alone(kubectl, plan.alone))
    fleet = plan.fleet
    say(f"{fleet} resources, idle, and then an operator that starts anew")
    with _ours(kubectl) as first, _resources(kubectl, fleet) as make:
        make(first)  # not settled: without nodes they are looked at every ten seconds
        queued = _metric(first, "genai_operator_queue_depth")
        _hibernate(kubectl)
        _settle(first)
        resident, idle = first.process.memory_info().rss / 2**20, _idle(first)
        first.end()
        with _ours(kubectl) as again:
            eventually(lambda: _metric(again, "genai_operator_reconciles_total") >= fleet, within=120)
            _settle(again)
            restart = sum(again.process.cpu_times()[:2])
            asked, wrote = _requests(again), _requests(again, "POST", "PATCH", "PUT", "DELETE")
    at_most = Sense.AT_MOST
    return Found(
        rows=(
            Row("P9 create, one at a time", "ms", tuple(waits["ours"]), tuple(waits["bare"]), Goal(at_most, 1.2, 1.2)),
            Row("P10 create", CPU, tuple(cpu["ours"]), tuple(cpu["bare"]), Goal(at_most, 2, 2)),
            Row("P10 requests a create", "requests", tuple(requests), (), Goal(at_most, 14, 14)),
            Row(f"P10 queue after {fleet}", "resources", (queued,), (), Goal(at_most, 0, 0)),
            Row(f"P10 idle with {fleet}: CPU", "%", (idle,), (), Goal(at_most, 0.1, 0.1)),
            Row(f"P10 memory with {fleet}", "MiB", (resident,), (), Goal(at_most, 100, 100)),
            Row(f"P10 restart with {fleet}: CPU", "s", (restart,), (), Goal(at_most, 4, 4)),
            Row(f"P10 restart with {fleet}: requests", "requests", (asked,), (), Goal(at_most, 40, 40)),
            Row(f"P10 restart with {fleet}: writes", "requests", (wrote,), (), Goal(at_most, 0, 0)),
        ),
        notes=(
            f"A resource has {len(_manifests())} objects and 3 Secrets, of which the bare loop makes the objects.",
            "P9 is the median time from a resource to its status, of resources that are made one after the other.",
            "Requests of a restart count everything that the operator asks, its first lists included.",
            "It starts anew with resources that hibernate: without nodes these are the ones that are settled.",
        ),
    )


class _Side:
    """A running program, and where its metrics are."""

    def __init__(self, popen: subprocess.Popen[str], port: int = 0) -> None:
        self._popen = popen
        self.process = psutil.Process(popen.pid)
        self.port = port

    def has_ended(self) -> bool:
        """Whether it ended by itself, which no side should."""
        return self._popen.poll() is not None

    def end(self) -> None:
        """End it."""
        self._popen.terminate()
        self._popen.wait(timeout=30)


@contextmanager
def _ours(kubectl: Kubectl) -> Iterator[_Side]:
    STATE.mkdir(parents=True, exist_ok=True)
    log = STATE / "operator.log"
    variables = {"KUBECONFIG": str(kubectl.kubeconfig), "LISTEN_HOST": "127.0.0.1", "LISTEN_PORT": "0"}
    with log.open("w", encoding="utf-8") as output:
        popen = subprocess.Popen(
            [str(Path(sys.executable).with_name("genai-auto-operator")), "run"],
            env={**os.environ, **variables}, stdout=output, stderr=output, text=True,
        )  # fmt: skip
    side = _Side(popen)
    try:
        side.port = eventually(lambda: _port(log), within=60)
        eventually(lambda: _get(side, "/readyz") == "ok\n", within=60)
        yield side
    finally:
        if popen.poll() is None:
            side.end()


@contextmanager
def _bare(kubectl: Kubectl) -> Iterator[_Side]:
    STATE.mkdir(parents=True, exist_ok=True)
    manifests = STATE / "manifests.json"
    manifests.write_text(json.dumps(_manifests()), encoding="utf-8")
    variables = {"KUBECONFIG": str(kubectl.kubeconfig), "MANIFESTS": str(manifests)}
    popen = subprocess.Popen(
        [sys.executable, str(BARE)], env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True
    )
    side = _Side(popen)
    try:
        if popen.stdout is None or popen.stdout.readline() != "ready\n":
            raise BenchError("The bare loop did not start: run it by hand, see its error.")
        yield side
    finally:
        side.end()


def _manifests() -> list[dict[str, Any]]:
    metadata = {"name": "demo", "namespace": "NAMESPACE"}
    app = GenAIAuto.model_validate({"metadata": metadata, "spec": SPEC})
    return list(desired_state(app, Context(Images("app:1", "pg:{version}", "redis:7"))))


@contextmanager
def _resources(kubectl: Kubectl, number: int) -> Iterator[Callable[[_Side], None]]:
    """Namespaces, and a function that makes a resource in each and waits until a program has seen them all."""
    prefix = f"bench-{secrets.token_hex(2)}"
    names = [f"{prefix}-{index}" for index in range(number)]
    _create(kubectl, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names])

    def make(side: _Side) -> None:
        _create(kubectl, [_resource(name) for name in names])
        eventually(lambda: side.has_ended() or _seen(kubectl, prefix) == number, within=PATIENCE, every=1)
        if side.has_ended():
            raise BenchError(f"The program ended while it was measured: see {STATE / 'operator.log'}")

    try:
        yield make
    finally:
        kubectl.run("delete", "gai", "--all-namespaces", "--all", "--wait=false", timeout=PATIENCE)
        kubectl.run("delete", "namespace", *names, "--wait=true", timeout=PATIENCE)


def _used(side: _Side, make: Callable[[_Side], None], number: int) -> float:
    """What making so many resources took a program, in ms of CPU a resource."""
    before = sum(side.process.cpu_times()[:2])
    make(side)
    _settle(side)
    return (sum(side.process.cpu_times()[:2]) - before) / number * 1000


def _hibernate(kubectl: Kubectl) -> None:
    """Have every resource settled: without nodes, pods would be waited for without end."""
    items = kubectl.items("gai", "--all-namespaces")
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [_hibernating(item) for item in items]})
    kubectl.run("replace", "--filename=-", stdin=text, timeout=PATIENCE)
    eventually(lambda: _phases(kubectl) == {"Hibernated"}, within=PATIENCE, every=1)


def _hibernating(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "spec": {**item["spec"], "state": "Hibernated"}}


def _phases(kubectl: Kubectl) -> set[str]:
    return {item["status"]["phase"] for item in kubectl.items("gai", "--all-namespaces")}


def _alone(kubectl: Kubectl, number: int) -> float:
    """The median time in ms from a resource to its status, for resources that are made one after the other."""
    prefix = f"alone-{secrets.token_hex(2)}"
    names = [f"{prefix}-{index}" for index in range(number)]
    _create(kubectl, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names])
    columns = "custom-columns=NAMESPACE:.metadata.namespace,PHASE:.status.phase"
    command = kubectl.command("get", "gai", "--all-namespaces", "--watch", "--no-headers", f"--output={columns}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        lines = iter(watch.stdout or ())
        try:
            return median(_until_status(kubectl, name, lines) for name in names)
        finally:
            watch.terminate()
            kubectl.run("delete", "namespace", *names, "--wait=true", timeout=300)


def _until_status(kubectl: Kubectl, namespace: str, lines: Iterator[str]) -> float:
    _create(kubectl, [_resource(namespace)])
    begin = 0.0
    for line in lines:
        where, phase = line.split()
        if where == namespace:
            begin = begin or time.monotonic()
            if phase != "<none>":
                return (time.monotonic() - begin) * 1000
    raise BenchError("kubectl stopped watching: is the API server well?")


def _resource(namespace: str) -> dict[str, Any]:
    metadata = {"name": "demo", "namespace": namespace}
    return {"apiVersion": "genai-auto.dev/v1alpha1", "kind": "GenAIAuto", "spec": SPEC, "metadata": metadata}


def _seen(kubectl: Kubectl, prefix: str) -> int:
    items = kubectl.items("gai", "--all-namespaces")
    return sum("status" in item for item in items if item["metadata"]["namespace"].startswith(prefix))


def _settle(side: _Side) -> None:
    """Wait until a program takes no CPU for three seconds."""
    quiet_since, last = time.monotonic(), -1.0
    while time.monotonic() - quiet_since < 3:
        now = sum(side.process.cpu_times()[:2])
        if now - last > 0.02:
            quiet_since, last = time.monotonic(), now
        time.sleep(0.2)


def _idle(side: _Side) -> float:
    """CPU time in percent of one core, while nothing happens."""
    before = sum(side.process.cpu_times()[:2])
    time.sleep(IDLE_SECONDS)
    return (sum(side.process.cpu_times()[:2]) - before) / IDLE_SECONDS * 100


def _create(kubectl: Kubectl, items: list[dict[str, Any]]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    kubectl.run("create", "--filename=-", stdin=text, timeout=PATIENCE)


def _port(log: Path) -> int | None:
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return next((int(line["port"]) for line in lines if line["event"] == "operator.started"), None)


def _get(side: _Side, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{side.port}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def _metric(side: _Side, name: str, *contains: str) -> float:
    lines = (line for line in _get(side, "/metrics").splitlines() if line.startswith(f"{name}{{"))
    return sum(float(line.split()[-1]) for line in lines if not contains or any(part in line for part in contains))


def _requests(side: _Side, *methods: str) -> float:
    return _metric(side, "genai_operator_kubernetes_requests_total", *(f'method="{method}"' for method in methods))
