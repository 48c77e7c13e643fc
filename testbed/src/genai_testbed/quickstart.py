"""`make up` and `make down`: from nothing to an answered question on a cluster, and back."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import typer
from rich.console import Console

from genai_testbed import clusters, deployment, images, tour
from genai_testbed.kubectl import Kubectl, KubectlError

NAME, NAMESPACE, PORT = "quickstart", "genai", 8000
EXAMPLE = deployment.ROOT / "examples" / "quickstart.yaml"
FORWARD = deployment.ROOT / ".state" / "port-forward.json"

app = typer.Typer(help="From nothing to an answered question, and back.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


@app.command()
def up() -> None:
    """Cluster, images, operator, the quick-start instance, a user, a question and its answer. Repeating it is safe."""
    begin = time.monotonic()
    cluster = clusters.choose()
    _step("Kubernetes", cluster.name)
    cluster.ensure(level="node")
    _step("Images", "the app and the operator, built from this tree")
    built = {image.name: image for image in images.ensure_images(images.names_for(cluster.name))}
    cluster.load_images(tuple(image.archive for image in built.values()))
    kubectl = Kubectl(cluster.kubeconfig(), NAMESPACE)
    _step("Operator", built["operator"].reference)
    deployment.install_operator(kubectl, built["operator"].reference, built["app"].reference)
    _step("Instance", f"{EXAMPLE.relative_to(deployment.ROOT)} in namespace {NAMESPACE}")
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
    kubectl.apply(EXAMPLE.read_text())
    for turn in deployment.transitions(kubectl, NAME, timeout=240):
        colour = {"True": "green", "False": "yellow"}.get(turn.status, "dim")
        console.print(
            f"  {turn.seconds:5.1f} s  {turn.type:<20} [{colour}]{turn.status:<8}[/] {turn.reason}: {turn.message}"
        )
    url = _forward(kubectl)
    _step("Question", tour.QUESTION)
    answer = tour.first_conversation(url)
    _print_answer(answer)
    _print_next_steps(url, answer, cluster.kubeconfig(), time.monotonic() - begin)


@app.command()
def down() -> None:
    """The instance with its volume, the operator, and, when it is ours, the cluster."""
    _stop_forward()
    cluster = clusters.choose()
    if cluster.is_ours:
        cluster.down()
        console.print("The instance, the operator and the cluster are gone. Compiled programs and images stay cached.")
        return
    kubectl = Kubectl(cluster.kubeconfig(), NAMESPACE)
    deployment.uninstall_operator(kubectl)
    kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    console.print("The instance, its volume and the operator are gone; the cluster is yours and stays.")


def _step(title: str, text: str) -> None:
    console.print(f"[bold]{title}[/]  {text}")


def _forward(kubectl: Kubectl) -> str:
    """A port-forward that outlives this process; `down` ends it. Returns the URL. Raises KubectlError with its log."""
    _stop_forward()
    FORWARD.parent.mkdir(exist_ok=True)
    log = FORWARD.with_suffix(".log")
    port = _free_port(PORT)
    with log.open("w") as out:
        process = subprocess.Popen(
            kubectl.command("port-forward", f"svc/{NAME}-api", f"{port}:8000"),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    FORWARD.write_text(json.dumps({"pid": process.pid, "started": psutil.Process(process.pid).create_time()}))
    deadline = time.monotonic() + 20
    while "Forwarding from" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise KubectlError(f"port-forward did not start: {log.read_text().strip()}")
        time.sleep(0.1)
    return f"http://127.0.0.1:{port}"


def _stop_forward() -> None:
    if not FORWARD.exists():
        return
    known = json.loads(FORWARD.read_text())
    if psutil.pid_exists(known["pid"]) and psutil.Process(known["pid"]).create_time() == known["started"]:
        os.kill(known["pid"], signal.SIGTERM)
    FORWARD.unlink()
    FORWARD.with_suffix(".log").unlink(missing_ok=True)


def _free_port(wanted: int) -> int:
    """`wanted` when nobody listens there, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _print_answer(answer: tour.FirstAnswer) -> None:
    console.print(f"\n  [bold]{answer.reply['response']}[/]\n")
    for source in answer.reply["sources"]:
        console.print(f"  source: {source['source']} › {source['heading']}")


def _print_next_steps(url: str, answer: tour.FirstAnswer, kubeconfig: Path, seconds: float) -> None:
    console.print(
        f"\nReady in {seconds:.0f} s.  API {url}  documentation {url}/docs\n"
        f"  user      {answer.email}  password {answer.password}\n"
        f"  cluster   export KUBECONFIG={kubeconfig}\n"
        f"            kubectl -n {NAMESPACE} get gai;  kubectl explain gai.spec.api\n"
        f"  scale     kubectl -n {NAMESPACE} scale gai/{NAME} --replicas=2\n"
        f"  undo      make down"
    )
