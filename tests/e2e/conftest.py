"""A cluster with the operator in it, and instances of GenAI Auto to talk to, as a user with kubectl and HTTP would."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from genai_testbed import clusters, deployment, images
from genai_testbed.clusters import Cluster
from genai_testbed.instance import Instance
from genai_testbed.kubectl import Kubectl, Manifest
from genai_testbed.waiting import eventually

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A node-level cluster."""
    with clusters.session("node") as found:
        yield found


@pytest.fixture(scope="session")
def platform(cluster: Cluster) -> Iterator[Kubectl]:
    """The cluster with both images built from this tree and the operator running."""
    built = {image.name: image for image in images.ensure_images(images.names_for(cluster.name))}
    cluster.load_images(tuple(image.archive for image in built.values()))
    kubectl = Kubectl(cluster.kubeconfig())
    was_installed = deployment.is_installed(kubectl)
    deployment.install_operator(kubectl, built["operator"].reference, built["app"].reference)
    yield kubectl
    if cluster.keeps_running and not was_installed:
        deployment.uninstall_operator(kubectl)


@pytest.fixture(scope="session")
def make_instance(cluster: Cluster, platform: Kubectl) -> Iterator[Callable[..., Instance]]:
    """Makes an instance from `examples/quickstart.yaml` in a fresh namespace that does not outlive the tests."""
    namespaces: list[str] = []

    def make(**spec: Any) -> Instance:
        namespace = f"e2e-{secrets.token_hex(3)}"
        namespaces.append(namespace)
        labels = {"metadata": {"name": namespace, "labels": RESTRICTED}}
        platform.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", **labels}))
        manifest = quickstart() | {"spec": quickstart()["spec"] | spec}
        kubectl = platform.within(namespace)
        kubectl.apply(json.dumps(manifest))
        return Instance(kubectl, manifest["metadata"]["name"])

    yield make
    if not cluster.keeps_running:
        return  # they go with it
    for namespace in namespaces:
        platform.run("delete", "namespace", namespace, "--wait=false")
    for namespace in namespaces:
        eventually(lambda ns=namespace: platform.find("namespace", ns) is None, within=120)  # type: ignore[misc]  # a lambda's default has no annotation


@pytest.fixture(scope="session")
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """The instance that most tests share; each test leaves it Ready."""
    made = make_instance()
    made.ready(within=180)
    return made


def quickstart() -> Manifest:
    """The example that the README starts with."""
    loaded: Manifest = yaml.safe_load((deployment.ROOT / "examples" / "quickstart.yaml").read_text())
    return loaded


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failed test shows what the cluster has to say about its namespace."""
    report = yield
    if report.when in {"setup", "call"} and report.failed:
        for made in instances(getattr(item, "funcargs", {})):
            report.sections.append((f"namespace {made.kubectl.namespace}", describe(made.kubectl)))
    return report


def instances(found: Any) -> Iterator[Instance]:
    """The instances among a test's fixtures, also those that are parts of others."""
    if isinstance(found, Instance):
        yield found
    elif isinstance(found, Mapping):
        for part in found.values():
            yield from instances(part)
    elif isinstance(part := getattr(found, "instance", None), Instance):
        yield part


def describe(kubectl: Kubectl) -> str:
    """Conditions, pods, events and the end of each pod's log."""
    parts = [kubectl.run("get", "genaiauto,deployment,statefulset,job,pod,pvc", "--output=wide")]
    parts += [deployment.explain(resource, 0) for resource in kubectl.items("genaiauto")]
    parts.append(kubectl.run("get", "events", "--sort-by=.lastTimestamp"))
    for pod in kubectl.items("pods"):
        name = pod["metadata"]["name"]
        parts.append(f"--- {name}\n{kubectl.run('logs', name, '--all-containers', '--tail=40', '--ignore-errors')}")
    return "\n".join(parts)
