"""A real API server with controllers but without nodes, the operator as a process, and tests that play the kubelet."""

import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from genai_operator.install import NAME, install_manifests
from genai_operator.naming import COMPONENT
from genai_operator.yaml_output import to_yaml
from genai_testbed import foreign_crds, layout
from genai_testbed.clusters import Testbed
from genai_testbed.kubectl import Kubectl, KubectlError, Manifest
from genai_testbed.waiting import TimedOut, eventually

ROOT = Path(__file__).parents[2]
QUICKSTART: Manifest = yaml.safe_load((ROOT / "examples" / "quickstart.yaml").read_text(encoding="utf-8"))
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="session")
def kubectl() -> Iterator[Kubectl]:
    """A control plane of our own: on one with nodes, a kubelet would contradict what the tests say of the pods."""
    state = layout.state_folder().with_name("operator-tests")
    bed = Testbed(state=state)
    was_running = bed.is_running()
    bed.ensure("control-plane")
    found = Kubectl(bed.kubeconfig())
    found.define((ROOT / "crds").glob("*.yaml"))
    yield found
    if not was_running:
        bed.down()


@dataclass
class OperatorProcess:
    """`genai-auto-operator run` with a kubeconfig; logs go to a file."""

    kubeconfig: Path
    log: Path
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it has seen what there is."""
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "LISTEN_HOST": "127.0.0.1", "LISTEN_PORT": "0",
                       "APP_IMAGE": "genai-auto/app:1.0", "HTTPS_PROXY": "http://127.0.0.1:9",
                       "DISCOVERY_SECONDS": "0.5", "DEFINITION_SECONDS": "1", **self.variables}  # fmt: skip
        self.log.write_bytes(b"")
        with self.log.open("ab") as log:
            command = [str(Path(sys.executable).with_name("genai-auto-operator")), "run", *self.arguments]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        eventually(lambda: self.get("/readyz") == "ok\n", within=60)

    def stop(self) -> int:
        """Stop it as Kubernetes does. Returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def lines(self) -> list[Manifest]:
        """What it logged, whole lines only: it may be writing the last one."""
        whole = self.log.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def get(self, path: str) -> str:
        """A page of its endpoint."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        port = next(line["port"] for line in self.lines() if line["event"] == "operator.started")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def requests(self, *methods: str) -> int:
        """How many requests of some methods the API server has answered so far."""
        prefix = "genai_operator_kubernetes_requests_total{"
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(prefix)]
        return sum(int(float(line.split()[-1])) for line in lines if any(f'"{method}"' in line for method in methods))

    def reconciles(self) -> int:
        """How many reconciles have ended so far."""
        lines = self.get("/metrics").splitlines()
        return sum(int(float(x.split()[-1])) for x in lines if x.startswith("genai_operator_reconciles_total{"))

    def writes(self) -> int:
        """Requests that change something."""
        return self.requests("POST", "PATCH", "PUT", "DELETE")


@pytest.fixture(scope="session")
def operator_account(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the operator's own account: what its ClusterRole does not allow fails here, too."""
    system = kubectl.within("genai-auto-system")
    manifests = install_manifests(system.namespace, "none", "none")
    system.apply(to_yaml(manifest for manifest in manifests if manifest["kind"] != "Deployment"))
    token = system.run("create", "token", NAME, "--duration=8h").strip()
    return account_kubeconfig(kubectl, token, tmp_path_factory.mktemp("account") / "kubeconfig")


def account_kubeconfig(kubectl: Kubectl, token: str, path: Path) -> Path:
    """The same cluster with a token in place of the administrator's certificate."""
    config: Manifest = yaml.safe_load(kubectl.run("config", "view", "--raw", "--flatten", "--minify"))
    config["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def operator(operator_account: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all namespaces, which most tests share."""
    started = OperatorProcess(operator_account, tmp_path_factory.mktemp("operator") / "log")
    started.start()
    yield started
    assert started.stop() == 0


@pytest.fixture
def install_crds(kubectl: Kubectl) -> Iterator[Callable[[str], None]]:
    """Installs the definitions of another project; they go with the test."""
    installed: list[str] = []

    def install(name: str) -> None:
        for file in foreign_crds.files(name):
            installed.append(str(file))
            kubectl.run("apply", "--server-side", "--force-conflicts", f"--filename={file}")

    yield install
    for file in installed:
        kubectl.run("delete", "--ignore-not-found", f"--filename={file}", "--timeout=60s")


@dataclass
class World:
    """One namespace, and what the tests do there in place of people and of the kubelet."""

    kubectl: Kubectl
    operator: OperatorProcess
    name: str = "quickstart"
    changes: Manifest = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self.kubectl.namespace

    def apply(self, **spec: Any) -> None:
        """Apply the quickstart, with some parts of its spec changed; earlier changes stay."""
        manifest = deepcopy(QUICKSTART)
        self.changes = merged(self.changes, spec)
        manifest["spec"] = merged(manifest["spec"], self.changes)
        self.kubectl.apply(json.dumps(manifest))

    def annotate(self, *annotations: str) -> None:
        """Set (`name=value`) or remove (`name-`) annotations of the resource."""
        self.kubectl.run("annotate", "--overwrite", "gai", self.name, *annotations)

    def resource(self) -> Manifest:
        """The resource."""
        return self.kubectl.get("gai", self.name)

    def conditions(self) -> dict[str, Manifest]:
        """Its conditions by type, of the present generation only."""
        resource = self.resource()
        status = resource.get("status", {})
        if status.get("observedGeneration") != resource["metadata"]["generation"]:
            return {}
        return {condition["type"]: condition for condition in status["conditions"]}

    def has(self, kind: str, status: str, reason: str = "", within: float = 20) -> Manifest:
        """Wait for a condition, and give it."""

        def look() -> Manifest | None:
            condition = self.conditions().get(kind, {})
            right = condition.get("status") == status and reason in ("", condition.get("reason"))
            return condition if right else None

        try:
            return eventually(look, within=within)
        except TimedOut as error:
            seen = [f"{c['type']} {c['status']} {c['reason']}: {c['message']}" for c in self.conditions().values()]
            raise AssertionError("\n".join([f"no {kind} {status} {reason} within {within} s, but", *seen])) from error

    def pods(self, component: str) -> list[Manifest]:
        """The pods of a component that are not about to go."""
        pods = self.kubectl.items("pods", f"--selector={COMPONENT}={component}")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def set_pods(self, component: str, phase: str, container: Manifest, *, ready: bool = False) -> None:
        """Say of each pod of a component what a kubelet would say."""
        for pod in eventually(lambda: self.pods(component), within=20):
            name = pod["spec"]["containers"][0]["name"]
            image = pod["spec"]["containers"][0]["image"]
            conditions = [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")]
            state = {"name": name, "image": image, "imageID": "", "restartCount": 0, "ready": ready, **container}
            status = {"phase": phase, "conditions": conditions, "containerStatuses": [state],
                      "startTime": "2026-01-01T00:00:00Z"}  # fmt: skip
            patch = ("--subresource=status", "--patch", json.dumps({"status": status}))
            try:
                self.kubectl.run("patch", "pod", pod["metadata"]["name"], *patch)
            except KubectlError as error:
                if "NotFound" not in str(error):  # a controller has just replaced it
                    raise

    def run_pods(self, *components: str) -> None:
        """All pods of these components serve."""
        for component in components:
            self.set_pods(component, "Running", {"state": {"running": {}}}, ready=True)

    def finish_job(self, component: str) -> None:
        """The pods of a Job have done their work."""
        self.set_pods(component, "Succeeded", {"state": {"terminated": {"exitCode": 0}}})

    def bring_up(self, **spec: Any) -> None:
        """Apply, and let everything come up."""
        self.apply(**spec)
        self.run_pods("database", "cache", "api")
        self.finish_job("migration")
        self.finish_job("seed")
        self.has("Ready", "True")

    def quiet(self) -> int:
        """Wait until the operator writes nothing more, for whomever: others' namespaces may still be going.

        Returns the writes until then.
        """
        seen = [-1]

        def look() -> bool:
            seen.append(self.operator.writes())
            return len(seen) > 8 and len(set(seen[-8:])) == 1

        eventually(look, within=30, every=0.3)
        return seen[-1]


def merged(base: Manifest, changes: Manifest) -> Manifest:
    """A dictionary with changes on every level."""
    result = dict(base)
    for key, value in changes.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


@pytest.fixture
def make_namespaced_operator(kubectl: Kubectl, tmp_path: Path) -> Callable[..., OperatorProcess]:
    """Makes an operator whose account has the usual rights in one namespace, and none elsewhere."""

    def make(world: World, name: str = "op", **variables: str) -> OperatorProcess:
        grants = install_manifests(world.namespace, "none", "none", watched=(world.namespace,))
        kinds = ("ServiceAccount", "Role", "RoleBinding")
        world.kubectl.apply(to_yaml(manifest for manifest in grants if manifest["kind"] in kinds))
        token = world.kubectl.run("create", "token", NAME).strip()
        kubeconfig = account_kubeconfig(kubectl, token, tmp_path / f"{name}.kubeconfig")
        return OperatorProcess(kubeconfig, tmp_path / f"{name}.log", ("--namespace", world.namespace), variables)

    return make


@pytest.fixture
def world(kubectl: Kubectl, operator: OperatorProcess) -> Iterator[World]:
    """A namespace of the test's own, where the restricted standard is enforced."""
    namespace = f"op-{secrets.token_hex(3)}"
    labels = {"name": namespace, "labels": RESTRICTED}
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": labels}))
    yield World(kubectl.within(namespace), operator)
    kubectl.within(namespace).run("delete", "gai", "--all")  # so that the operator has no more work with it
    kubectl.run("delete", "namespace", namespace, "--wait=false")
