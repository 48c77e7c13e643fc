"""The scripted model server as a pod of a cluster: put there, asked what it heard, its gate opened and shut."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from genai_testbed import model_server
from genai_testbed.kubectl import Kubectl, Manifest

NAME, PORT = "model-server", 8080
FOLDER = "/script"


@dataclass(frozen=True)
class ScriptedModel:
    """A running one, in the namespace of `kubectl`."""

    kubectl: Kubectl

    @property
    def base_url(self) -> str:
        """What an instance of any namespace has as `llm.baseURL`."""
        return f"http://{NAME}.{self.kubectl.namespace}.svc:{PORT}/v1"

    def asked(self) -> list[str]:
        """The last message of every chat request so far, oldest first."""
        with self._client() as client:
            said: list[str] = client.get("/asked").raise_for_status().json()
        return said

    @contextmanager
    def shut_gate(self) -> Iterator["Gate"]:
        """Streams that wait stand still until the gate is opened, or the block ends."""
        with self._client() as client:
            gate = Gate(client)
            gate.move(is_open=False)
            try:
                yield gate
            finally:
                gate.move(is_open=True)

    @contextmanager
    def _client(self) -> Iterator[httpx2.Client]:
        with (
            self.kubectl.forwarded(f"pod/{NAME}", PORT) as port,
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            yield client


@dataclass(frozen=True)
class Gate:
    """What holds streams back."""

    client: httpx2.Client

    def move(self, *, is_open: bool) -> None:
        """Open or shut it."""
        self.client.put("/gate", json=is_open).raise_for_status()


def put_scripted_model(kubectl: Kubectl, image: str, rules: Sequence[Mapping[str, Any]]) -> ScriptedModel:
    """Run the server with `rules` in the namespace of `kubectl`, from an image with Python; returns when it answers."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(manifests(image, rules))}
    kubectl.apply(json.dumps(items))
    kubectl.run("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s")
    return ScriptedModel(kubectl)


def manifests(image: str, rules: Sequence[Mapping[str, Any]]) -> tuple[Manifest, ...]:
    """The script as a ConfigMap, the pod, its Service; pure but for reading the script."""
    labels = {"app.kubernetes.io/name": NAME}
    metadata = {"name": NAME, "labels": labels}
    data = {"model_server.py": Path(model_server.__file__).read_text(), "rules.json": json.dumps(rules)}
    container = {
        "name": "server",
        "image": image,
        "command": ["python3", f"{FOLDER}/model_server.py", f"{FOLDER}/rules.json", str(PORT)],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "script", "mountPath": FOLDER, "readOnly": True}],
    }
    spec = {
        "containers": [container],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "script", "configMap": {"name": NAME}}],
    }
    service = {"selector": labels, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]}
    return (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    )
