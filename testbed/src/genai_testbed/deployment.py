"""The operator in a cluster: definitions, its own manifests, and waiting for what a resource becomes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genai_testbed.kubectl import Kubectl, Manifest

ROOT = Path(__file__).parents[3]
OPERATOR_NAMESPACE = "genai-auto-system"
OPERATOR = "deployment/genai-auto-operator"


class NotReady(Exception):
    """The resource did not become Ready in time; the text says which conditions stand in the way."""


@dataclass(frozen=True)
class Transition:
    """One condition of a resource that has just turned; `seconds` since the watch began."""

    seconds: float
    type: str
    status: str
    reason: str
    message: str


def install_operator(kubectl: Kubectl, operator_image: str, app_image: str) -> None:
    """Apply the definitions and the operator's manifests, and wait until it runs. Repeating changes nothing."""
    operator = kubectl.within(OPERATOR_NAMESPACE)
    operator.define(sorted((ROOT / "crds").glob("*.yaml")))
    operator.apply(_operator_manifests(operator_image, app_image))
    operator.run("rollout", "status", OPERATOR, "--timeout=90s")


def is_installed(kubectl: Kubectl) -> bool:
    """Whether somebody uses this cluster's operator already: removing it would take their instances with it."""
    return kubectl.within(OPERATOR_NAMESPACE).find(*OPERATOR.split("/")) is not None


def uninstall_operator(kubectl: Kubectl) -> None:
    """Remove the operator and the definitions, with every resource of them. Absent objects are no error."""
    operator, manifests = kubectl.within(OPERATOR_NAMESPACE), _operator_manifests("none", "none")
    operator.run("delete", "--ignore-not-found", "--timeout=90s", f"--filename={ROOT / 'crds'}")
    operator.run("delete", "--ignore-not-found", "--timeout=90s", "--filename=-", stdin=manifests)


def transitions(
    kubectl: Kubectl, name: str, timeout: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[Transition]:
    """Each turn of a condition until the resource is Ready. Raises NotReady after `timeout` seconds."""
    begin, known = clock(), dict[str, tuple[str, str]]()
    while True:
        resource = kubectl.get("genaiauto", name)
        for condition in conditions(resource):
            state = (condition["status"], condition["reason"])
            if known.get(condition["type"]) != state:
                known[condition["type"]] = state
                yield Transition(clock() - begin, condition["type"], *state, condition.get("message", ""))
        if is_ready(resource):
            return
        if clock() - begin > timeout:
            raise NotReady(explain(resource, timeout))
        time.sleep(0.5)


def conditions(resource: Manifest) -> list[Manifest]:
    """The conditions in the order in which the operator lists them."""
    found: list[Manifest] = resource.get("status", {}).get("conditions", [])
    return found


def is_ready(resource: Manifest) -> bool:
    """Whether Ready is True and speaks of the present generation."""
    return any(
        condition["type"] == "Ready"
        and condition["status"] == "True"
        and condition.get("observedGeneration") == resource["metadata"]["generation"]
        for condition in conditions(resource)
    )


def explain(resource: Manifest, timeout: float) -> str:
    """Why it is not ready, for a person."""
    name = resource["metadata"]["name"]
    lines = [
        f"  {condition['type']}={condition['status']} {condition['reason']}: {condition.get('message', '')}"
        for condition in conditions(resource)
    ]
    return "\n".join(
        [f"{name} is not Ready after {timeout:.0f} s:", *(lines or ["  no conditions: does the operator run?"])]
    )


def _operator_manifests(operator_image: str, app_image: str) -> str:
    command = [str(Path(sys.executable).with_name("genai-auto-operator")), "install-manifests"]
    options = ["--namespace", OPERATOR_NAMESPACE, "--image", operator_image, "--app-image", app_image]
    return subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout
