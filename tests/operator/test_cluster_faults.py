"""Faults of the API server at every call, and a power cut before and after each: the end is always the same.

A fault-free run is recorded first. Each case then spoils one call of each operation (create, update, delete) in a
namespace of its own, on the way from the operator to a real API server, and must end as the fault-free run did.
"""

import asyncio
import base64
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.operator.crashing import Nursery
from tests.operator.fault_proxy import Call, Fault, FaultProxy, Script

from genai_operator.cluster import Cluster, load_configuration
from genai_operator.kinds import CHILDREN, GENAI_AUTO
from genai_operator.manifests import Manifest, Ref, dig
from genai_operator.metrics import Metrics
from genai_operator.naming import CHILD_SELECTOR, CONFIG_HASH
from genai_operator.store import Store
from genai_operator.watching import Informer
from genai_testbed.kubectl import Kubectl

if TYPE_CHECKING:  # pytest imports test modules by path, so conftest.py is no module at run time
    from tests.operator.conftest import OperatorProcess

pytestmark = pytest.mark.cluster

RECOVERY_SECONDS = 10.0
AT_ONCE = 10
"""Cases at the same time: more would measure the machine."""
ROOT = Path(__file__).parents[2]
SPEC: Manifest = {
    "environment": "Development",
    "llm": {"provider": "Offline"},
    "deletionPolicy": "Delete",
}
CHANGE: Manifest = {"api": {"logLevel": "ERROR", "replicas": 2}, "redis": {"mode": "Disabled"}}
OPERATIONS = ("create", "update", "delete")
ONE_CALL = tuple(fault for fault in Fault if fault not in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER))
POWER_CUTS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


State = frozenset[str]


@pytest.fixture(scope="module", autouse=True)
def alone(operator: "OperatorProcess") -> Iterator[None]:
    """The operator that other tests share would mend what is spoilt here."""
    assert operator.stop() == 0
    yield
    operator.start()


@dataclass
class Bench:
    """What a case needs: an administrator's client, the proxy, and every child as it is now."""

    admin: Cluster
    proxy: FaultProxy
    store: Store
    nursery: Nursery
    changed: dict[str, asyncio.Event] = field(default_factory=dict)
    cut: list[float] = field(default_factory=lambda: [0.0])
    """When the power was cut, for all cases that were under way."""

    def state(self, namespace: str) -> State:
        """All that the operator asks for in a namespace, one text each."""
        children = self.store.children(Ref(namespace, "demo"))
        return frozenset(json.dumps(essence(item), sort_keys=True) for item in children.values())

    async def comes_to(self, namespace: str, wanted: State, within: float) -> None:
        """Wait until the state of a namespace is the wanted one."""
        event = self.changed.setdefault(namespace, asyncio.Event())
        deadline = time.monotonic() + within
        while self.state(namespace) != wanted:
            event.clear()
            left = deadline - time.monotonic()
            try:
                async with asyncio.timeout(max(left, 0)):
                    await event.wait()
            except TimeoutError:
                there = self.state(namespace)
                raise AssertionError(
                    f"{namespace} is another after {within:.0f} s: lacks {sorted(wanted - there)}, has "
                    f"{sorted(there - wanted)}"
                ) from None


def essence(item: Manifest) -> Manifest:
    """What the operator asks for, without what differs between namespaces, and what the API server draws anew."""
    drawn = {"clusterIP", "clusterIPs", "selector"} if item["kind"] == "Job" else {"clusterIP", "clusterIPs"}
    spec = {key: value for key, value in item.get("spec", {}).items() if key not in drawn}
    if "template" in spec:  # the hash of drawn passwords
        spec = deepcopy(spec)
        dig(spec, "template", "metadata", "annotations", default={}).pop(CONFIG_HASH, None)
    if item["kind"] == "Job":
        spec.pop("template", None)  # the controller adds the Job's uid; the name has the template's hash
    return {
        "kind": item["kind"],
        "name": item["metadata"]["name"],
        "labels": item["metadata"]["labels"],
        "owners": [owner["name"] for owner in item["metadata"].get("ownerReferences", ())],
        "spec": spec,
        "data": item.get("data"),
        "keys": sorted(item.get("hashes", ())),
    }


async def operate(bench: Bench, operation: str, namespace: str) -> None:
    """Do to the instance of a namespace what a person would do."""
    ref = Ref(namespace, "demo")
    if operation == "create":
        await bench.admin.create(
            {
                "apiVersion": GENAI_AUTO.api_version,
                "kind": GENAI_AUTO.name,
                "metadata": {"name": ref.name, "namespace": namespace},
                "spec": deepcopy(SPEC),
            }
        )
    elif operation == "update":
        await bench.admin.merge_patch(GENAI_AUTO, ref, {"spec": CHANGE})
    else:
        await bench.admin.delete(GENAI_AUTO, ref)


@asynccontextmanager
async def bench_of(kubectl: Kubectl, config: dict[str, Any], folder: Path) -> AsyncIterator[Bench]:
    """An operator behind the proxy, with the account of a kubeconfig, and a view of the cluster past it."""
    upstream = config["clusters"][0]["cluster"]["server"]
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    admin = Cluster(await load_configuration(str(kubectl.kubeconfig), in_cluster=False), Metrics().count_answer)
    store = Store()
    changed: dict[str, asyncio.Event] = {}

    def notice(ref: Ref) -> None:
        if ref.namespace in changed:
            changed[ref.namespace].set()

    kinds = [kind for kind in CHILDREN if kind.name not in ("Pod", "PersistentVolumeClaim")]
    informers = [Informer(admin, store, kind, None, CHILD_SELECTOR, notice) for kind in kinds]
    nursery: Nursery | None = None
    cut = [0.0]

    async def kill() -> None:
        assert nursery is not None
        await asyncio.to_thread(nursery.restart)
        cut.append(time.monotonic())

    async with FaultProxy(upstream, context, kill).running() as proxy:
        cluster = config["clusters"][0]["cluster"]
        cluster.pop("certificate-authority-data")
        cluster["server"] = f"http://127.0.0.1:{proxy.port}"
        await asyncio.to_thread((folder / "kubeconfig").write_text, yaml.safe_dump(config), encoding="utf-8")
        variables = {
            "KUBECONFIG": str(folder / "kubeconfig"), "LISTEN_HOST": "127.0.0.1", "LISTEN_PORT": "0",
            "APP_IMAGE": "genai-auto/app:1.0", "WORKERS": "100", "REQUEST_SECONDS": "3", "DISCOVERY_SECONDS": "30",
        }  # fmt: skip
        tasks = [asyncio.create_task(informer.run()) for informer in informers]
        try:
            await asyncio.gather(*(informer.listed.wait() for informer in informers))
            with Nursery(variables, folder / "operator.log") as nursery:
                yield Bench(admin, proxy, store, nursery, changed, cut)
        finally:
            for task in tasks:
                task.cancel()
            await admin.close()


@dataclass
class Recording:
    """A fault-free run: the calls of each operation, and the state after it."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)


async def record(bench: Bench, namespace: str) -> Recording:
    """Run all operations without faults, each until nothing more is asked."""
    recording = Recording()
    for operation in OPERATIONS:
        script = bench.proxy.scripts[namespace] = Script()
        await operate(bench, operation, namespace)
        await quiet(lambda script=script: len(script.calls))  # type: ignore[misc]  # a default binds the loop's value
        if operation == "delete":  # the garbage collector has its own time
            await bench.comes_to(namespace, frozenset(), 60)
        recording.calls[operation] = script.calls
        recording.states[operation] = bench.state(namespace)
    return recording


async def quiet(count: Callable[[], int], seconds: float = 4) -> None:
    """Wait until a count is above 0 and has not changed for a while."""
    begun = time.monotonic()
    seen, since = count(), begun
    while seen == 0 or time.monotonic() - since < seconds:
        await asyncio.sleep(0.1)
        assert seen or time.monotonic() - begun < 30, "the operator asks nothing"
        if count() != seen:
            seen, since = count(), time.monotonic()


def plan(recording: Recording, faults: tuple[Fault, ...]) -> list[dict[str, Script]]:
    """Cases for one namespace each: the n-th call of each operation, as far as it has so many."""
    most = max(len(calls) for calls in recording.calls.values())
    return [
        {
            operation: Script(number, fault) if number < len(calls) else Script()
            for operation, calls in recording.calls.items()
        }
        for fault in faults
        for number in range(most)
    ]


async def run_case(
    bench: Bench, namespace: str, case: dict[str, Script], recording: Recording, gate: asyncio.Semaphore
) -> tuple[int, float]:
    """All operations with their faults. Gives the number of faults that fired, and the longest recovery in seconds.

    Deleting is mostly waiting for the garbage collector, which has its own time: it passes no gate.
    """
    longest = 0.0
    async with gate:
        for operation in ("create", "update"):
            script = await begin(bench, namespace, operation, case)
            begun = time.monotonic()
            await bench.comes_to(namespace, recording.states[operation], RECOVERY_SECONDS + 20)
            if script.fired is not None:
                longest = max(longest, time.monotonic() - max(script.fired, begun, bench.cut[-1]))
    await begin(bench, namespace, "delete", case)
    await bench.comes_to(namespace, recording.states["delete"], 90)
    return sum(script.fired is not None for script in case.values()), longest


async def begin(bench: Bench, namespace: str, operation: str, case: dict[str, Script]) -> Script:
    """Set the script of an operation, and do it."""
    script = bench.proxy.scripts[namespace] = case[operation]
    await operate(bench, operation, namespace)
    return script


def make_namespaces(kubectl: Kubectl, number: int) -> list[str]:
    """Fresh namespaces, made in one go."""
    prefix = f"fault-{secrets.token_hex(2)}"
    names = [f"{prefix}-{index}" for index in range(number)]
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    kubectl.run("create", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return names


async def run_all(
    bench: Bench, kubectl: Kubectl, cases: list[dict[str, Script]], recording: Recording
) -> list[tuple[int, float]]:
    """Every case in a namespace of its own, some at the same time."""
    names = await asyncio.to_thread(make_namespaces, kubectl, len(cases))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, case: dict[str, Script]) -> tuple[int, float]:
        try:
            return await run_case(bench, name, case, recording, gate)
        except AssertionError as error:
            told = {op: (s.spoilt, s.fault, s.calls[-3:]) for op, s in case.items()}
            raise AssertionError(f"{error}: {told}") from error

    try:
        return await asyncio.gather(*(one(name, case) for name, case in zip(names, cases, strict=True)))
    finally:
        await asyncio.to_thread(kubectl.run, "delete", "namespace", "--wait=false", *names)


@pytest.mark.timeout(900)  # hundreds of instances are made, changed and deleted
def test_every_fault_at_every_call_and_every_power_cut_end_in_the_same_state(
    kubectl: Kubectl, operator_account: Path, tmp_path: Path
) -> None:
    config = yaml.safe_load(operator_account.read_text(encoding="utf-8"))

    async def all_of_it() -> None:
        async with bench_of(kubectl, config, tmp_path) as bench:
            (name,) = make_namespaces(kubectl, 1)
            recording = await record(bench, name)
            kubectl.run("delete", "namespace", "--wait=false", name)
            assert len(set(recording.states.values())) == len(OPERATIONS)
            cases = plan(recording, ONE_CALL)
            results = await run_all(bench, kubectl, cases, recording)
            cuts = await run_all(bench, kubectl, plan(recording, POWER_CUTS), recording)
            fired = sum(number for number, _ in [*results, *cuts])
            print(  # noqa: T201 - the figures of a run with -s
                f"{fired} faults fired at {[len(calls) for calls in recording.calls.values()]} calls; longest recovery "
                f"{max(seconds for _, seconds in results):.1f} s, after a power cut {max(s for _, s in cuts):.1f} s"
            )
            assert fired >= 300, recording.calls
            assert max(seconds for _, seconds in [*results, *cuts]) <= RECOVERY_SECONDS

    asyncio.run(all_of_it())


@pytest.mark.parametrize("fault", ["dropped", "gone", "duplicated", "silent"])
def test_a_watch_that_fails_hides_no_drift(
    kubectl: Kubectl, operator_account: Path, tmp_path: Path, fault: str
) -> None:
    config = yaml.safe_load(operator_account.read_text(encoding="utf-8"))

    async def all_of_it() -> None:
        async with bench_of(kubectl, config, tmp_path) as bench:
            (name,) = make_namespaces(kubectl, 1)
            script = bench.proxy.scripts[name]
            await operate(bench, "create", name)
            await quiet(lambda: len(script.calls))
            wanted = bench.state(name)
            bench.proxy.watch_fault = fault
            if fault == "silent":
                bench.proxy.speaking.clear()
            damaged = kubectl.within(name)
            damaged.run("delete", "service", "demo-api")
            damaged.run("patch", "configmap", "demo-config", "--type=merge", '--patch={"data":{"LLM_PROVIDER":"none"}}')
            await quiet(lambda: len(script.calls), 3)  # the fault lasts
            bench.proxy.watch_fault = ""
            bench.proxy.speaking.set()
            await bench.comes_to(name, wanted, RECOVERY_SECONDS)
            await operate(bench, "delete", name)
            await bench.comes_to(name, frozenset(), 60)
            kubectl.run("delete", "namespace", "--wait=false", name)

    asyncio.run(all_of_it())
