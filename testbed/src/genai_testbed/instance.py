"""One instance of GenAI Auto on a cluster and conversations with it, as a user with kubectl and HTTP has them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from genai_testbed import deployment
from genai_testbed.kubectl import Kubectl, Manifest


@dataclass
class Conversation:
    """One logged-in user at one API endpoint."""

    client: httpx2.Client
    session_id: str | None = None

    def say(self, message: str, **fields: Any) -> dict[str, Any]:
        """One turn in the same session. Raises httpx2.HTTPStatusError when it is refused."""
        body = {"message": message, "session_id": self.session_id, **fields}
        reply: dict[str, Any] = self.client.post("/api/v1/chat", json=body).raise_for_status().json()
        self.session_id = reply["session_id"]
        return reply

    def history(self) -> list[str]:
        """What is stored of this session, oldest first."""
        page = self.client.get(f"/api/v1/chat/history/{self.session_id}", params={"limit": 200}).raise_for_status()
        return [message["content"] for message in page.json()["items"]]


@dataclass
class Instance:
    """One GenAIAuto resource in a namespace of its own, whose pods must be admitted under the restricted standard."""

    kubectl: Kubectl
    name: str
    email: str = field(default_factory=lambda: f"driver-{secrets.token_hex(4)}@example.com")
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    registered: bool = False

    @property
    def resource(self) -> Manifest:
        return self.kubectl.get("genaiauto", self.name)

    def ready(self, within: float = 120) -> Manifest:
        """Wait for Ready of the present generation; fails with the conditions that stand in the way."""
        for _ in deployment.transitions(self.kubectl, self.name, timeout=within):
            continue
        return self.resource

    def pods(self, component: str) -> list[Manifest]:
        """Pods of one component that are not being deleted."""
        labels = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        found = self.kubectl.items("pods", f"--selector={labels}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    @contextmanager
    def http(self, target: str | None = None) -> Iterator[httpx2.Client]:
        """An HTTP client of the API service, or of one `pod/NAME`."""
        with (
            self.kubectl.forwarded(target or f"svc/{self.name}-api", 8000) as port,
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
        ):
            yield client

    @contextmanager
    def conversation(self, session_id: str | None = None, target: str | None = None) -> Iterator[Conversation]:
        """The instance's user, logged in."""
        with self.http(target) as client:
            account = {"email": self.email, "password": self.password}
            path = "login" if self.registered else "register"
            body = account if self.registered else {**account, "name": "Driver"}
            tokens = client.post(f"/api/v1/auth/{path}", json=body).raise_for_status().json()
            self.registered = True
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            yield Conversation(client, session_id)
