"""From outside: a real ingress controller with TLS, the guide's limits, and a rolling update that nobody notices."""

import base64
import json
import secrets
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from socket import create_connection

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from genai_contract.endpoints import HTTP_PORT
from genai_testbed import clusters
from genai_testbed.clusters import Cluster
from genai_testbed.ingress import Edge, traefik
from genai_testbed.instance import Instance
from genai_testbed.layout import POD_SUBNET
from genai_testbed.lifecycle import inside
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.node

HOST = "cars.example.test"
QUESTION = "Which engine oil does the GenAuto X1 take?"
API_RATE, API_BURST, AUTH_RATE, AUTH_BURST = 30, 50, 5, 10
TRAEFIK = str(ip_network(POD_SUBNET)[1])
"""Whom pods see when Traefik asks: it runs in the node's own network."""
REQUESTS = (("GET", "/api/v1/auth/me", None), ("POST", "/api/v1/chat", {"message": QUESTION}))
CHAT = '"endpoint": "/api/v1/chat"'
"""What a pod's log has of each chat that it answered."""

PACE_SECONDS = 0.1
"""Between two requests of one user under load: well below the limit of 30 a second."""


@dataclass
class Outside:
    """The world outside the cluster: it knows a name, a port, and the authority of its certificate."""

    instance: Instance
    edge: Edge
    authority: str

    @property
    def context(self) -> ssl.SSLContext:
        """Trusts that authority and nobody else."""
        return ssl.create_default_context(cadata=self.authority)

    @contextmanager
    def http(self, **headers: str) -> Iterator[httpx2.Client]:
        """A client that comes in by HTTPS."""

        def name_the_host(request: httpx2.Request) -> None:
            request.extensions["sni_hostname"] = HOST

        address = f"https://127.0.0.1:{self.edge.https_port}"
        hooks = {"request": [name_the_host]}
        with httpx2.Client(base_url=address, headers={"Host": HOST, **headers}, verify=self.context, timeout=30,
                           trust_env=False, event_hooks=hooks) as client:  # fmt: skip
            yield client

    def register(self) -> str:
        """A new user's access token."""
        body = {"email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_hex(12), "name": "Driver"}
        with self.http() as client:

            def registered() -> str:
                reply = client.post("/api/v1/auth/register", json=body)
                return str(reply.raise_for_status().json()["access_token"])

            return eventually(registered, within=20)  # the limit of logins may be spent for a moment


@pytest.fixture(scope="session")
def node(cluster: Cluster) -> clusters.Testbed:
    """Where Traefik can run; asked for before anything is installed for nothing."""
    if not isinstance(cluster, clusters.Testbed):
        pytest.skip(f"Traefik runs in the node of CLUSTER=testbed only, and this is {cluster.name}")
    return cluster


@pytest.fixture(scope="module")
def outside(node: clusters.Testbed, make_instance: Callable[..., Instance]) -> Iterator[Outside]:
    """An instance with two pods behind Traefik."""
    exposure = {
        "type": "Ingress", "host": HOST, "tls": {"mode": "SelfSigned"}, "limits": {"maxBodySize": "64Ki"},
        "privatePaths": ["/api/v1/metrics", "/docs"],
        "ingress": {"className": "traefik", "controller": "Traefik"},
    }  # fmt: skip
    resources = {"requests": {"cpu": "100m", "memory": "384Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    api = {"logLevel": "INFO", "replicas": 2, "trustedProxies": [TRAEFIK], "resources": resources}
    instance = make_instance(exposure=exposure, api=api)
    instance.ready(within=180)
    data = instance.kubectl.get("secret", "quickstart-tls")["data"]
    authority = base64.b64decode(data["ca.crt"]).decode()
    with traefik(node) as edge:
        found = Outside(instance, edge, authority)

        def routed() -> bool:
            with found.http() as client:
                return client.get("/health").status_code == httpx2.codes.OK

        eventually(routed, within=30)
        yield found


def test_rest_streams_and_sockets_come_through_with_a_certificate_that_is_checked(outside: Outside) -> None:
    token = outside.register()
    with outside.http(Authorization=f"Bearer {token}") as client:
        reply = client.post("/api/v1/chat", json={"message": QUESTION}).raise_for_status().json()
        assert "5W-30" in reply["response"]
        with client.stream("POST", "/api/v1/chat/stream", json={"message": QUESTION}) as events:
            kinds = [line.removeprefix("event: ") for line in events.iter_lines() if line.startswith("event: ")]
        assert kinds[-1] == "complete"
    address = f"wss://{HOST}:{outside.edge.https_port}/ws/{secrets.token_hex(4)}"
    wire = create_connection(("127.0.0.1", outside.edge.https_port))
    bearer = [Subprotocol("bearer"), Subprotocol(token)]
    with connect(address, sock=wire, ssl=outside.context, proxy=None, subprotocols=bearer) as socket:
        assert json.loads(socket.recv(timeout=30))["type"] == "auth_success"
        socket.send(json.dumps({"type": "message", "message": QUESTION}))
        while (frame := json.loads(socket.recv(timeout=30)))["type"] != "complete":
            assert frame["type"] != "error"
        assert "5W-30" in frame["response"]
    assert outside.instance.resource["status"]["url"] == f"https://{HOST}"


@pytest.mark.parametrize("condition", ["Exposed", "CertificateReady"])
def test_the_way_in_is_a_condition(outside: Outside, condition: str) -> None:
    def holds() -> bool:
        found = {each["type"]: each["status"] for each in outside.instance.resource["status"]["conditions"]}
        return bool(found[condition] == "True")

    eventually(holds, within=30)


def test_private_paths_and_large_bodies_do_not_come_through(outside: Outside) -> None:
    token = outside.register()
    with outside.instance.kubectl.forwarded(f"svc/{outside.instance.name}-api", HTTP_PORT) as port:
        seen = httpx2.get(f"http://127.0.0.1:{port}/api/v1/metrics", trust_env=False)
        assert "genai_auto_build_info" in seen.raise_for_status().text
    with outside.http(Authorization=f"Bearer {token}") as client:
        # Traefik leaves out a path whose Service has no pods, unless told otherwise: what is left is the API's own no.
        for path in ("/api/v1/metrics", "/docs"):
            refused = client.get(path)
            assert (refused.status_code, "X-Request-ID" in refused.headers) == (httpx2.codes.NOT_FOUND, True)
        body = {"message": "x", "metadata": {"padding": "x" * 100_000}}
        assert client.post("/api/v1/chat", json=body).status_code == httpx2.codes.CONTENT_TOO_LARGE


def test_a_user_has_the_guides_limit(outside: Outside) -> None:
    token = outside.register()
    with outside.http(Authorization=f"Bearer {token}") as client:
        client.get("/health")  # the handshake is not part of the burst
        begin, passed = time.monotonic(), 0
        while (reply := client.get("/api/v1/auth/me")).status_code == httpx2.codes.OK and passed < 10 * API_BURST:
            passed += 1
        seconds = time.monotonic() - begin
    assert reply.status_code == httpx2.codes.TOO_MANY_REQUESTS
    assert reply.headers["X-RateLimit-Limit"] == str(API_BURST)
    assert int(reply.headers["Retry-After"]) >= 1
    assert API_BURST <= passed <= API_BURST + API_RATE * seconds


def test_visitors_are_counted_by_their_own_address_and_a_claim_does_not_help(
    outside: Outside, node: clusters.Testbed
) -> None:
    wish = {"port": outside.edge.https_port, "host": HOST, "authority": outside.authority, "claims": 2 * AUTH_BURST}
    _, place = inside(node.state)
    done = place.run(sys.executable, "-I", str(Path(__file__).with_name("visitors.py")), json.dumps(wish))
    assert done.returncode == 0, done.stdout
    first, claims, second = json.loads(done.stdout)
    claimed = {key: first[key] + claims[key] for key in first}  # one and the same bucket
    for visitor in (first, claimed, second):  # the second one's is full still: neither the first nor its claims took
        assert set(visitor["statuses"]) == {422, 429}
        assert AUTH_BURST <= visitor["statuses"].count(422) <= AUTH_BURST + AUTH_RATE * visitor["seconds"]


@dataclass
class Load:
    """Users who ask without pause; what they got, and which failures there were."""

    outside: Outside
    stop: threading.Event = field(default_factory=threading.Event)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def user(self, token: str) -> None:
        with self.outside.http(Authorization=f"Bearer {token}") as client:
            while not self.stop.is_set():
                for method, path, body in REQUESTS:
                    try:
                        reply = client.request(method, path, json=body)
                    except httpx2.HTTPError as error:
                        self.failures.append(f"{time.strftime('%X')} {method} {path}: {error!r}")
                        continue
                    self.statuses[reply.status_code] += 1
                    if reply.status_code != httpx2.codes.OK:
                        said = f"{reply.status_code} {reply.text[:200]}"
                        self.failures.append(f"{time.strftime('%X')} {method} {path}: {said}")
                self.stop.wait(PACE_SECONDS)

    @contextmanager
    def running(self, users: int) -> Iterator[None]:
        """Ask while the block runs."""
        threads = [threading.Thread(target=self.user, args=(self.outside.register(),)) for _ in range(users)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(timeout=60)


@contextmanager
def answers_of(instance: Instance, pods: set[str]) -> Iterator[dict[str, list[datetime]]]:
    """Follows the logs of pods while the block runs; afterwards: when each has answered a chat, oldest first."""
    found: dict[str, list[datetime]] = {}
    with ExitStack() as stack:
        logs = {}
        for pod in pods:
            logs[pod] = stack.enter_context(tempfile.TemporaryFile("w+"))
            command = instance.kubectl.command("logs", "--follow", "--timestamps", pod)
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=logs[pod], stderr=subprocess.STDOUT)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        yield found
        for pod, log in logs.items():
            log.seek(0)
            found[pod] = [datetime.fromisoformat(line.split()[0]) for line in log if CHAT in line]


def test_nobody_notices_a_rolling_update(outside: Outside) -> None:
    instance, load = outside.instance, Load(outside)
    old = {pod["metadata"]["name"] for pod in instance.pods("api")}
    with answers_of(instance, old) as by_old, load.running(users=3):
        eventually(lambda: load.statuses.total() > 20, within=30)
        begin = datetime.now(UTC)
        patch = json.dumps({"spec": {"cache": {"ttlSeconds": 7200}}})
        instance.kubectl.run("patch", "gai", instance.name, "--type=merge", "--patch", patch)
        instance.ready(within=180)
        new = {pod["metadata"]["name"] for pod in instance.pods("api")} - old
        with answers_of(instance, new) as by_new:
            eventually(lambda: not old & {pod["metadata"]["name"] for pod in instance.kubectl.items("pods")}, 120)
            served = load.statuses.total()
            eventually(lambda: load.statuses.total() > served + 20, within=30)
    assert load.failures == []
    assert load.statuses[200] >= 100
    assert (len(by_old), len(by_new)) == (2, 2)
    during = {pod: [moment for moment in moments if moment > begin] for pod, moments in (by_old | by_new).items()}
    assert all(during.values()), f"each pod answered while it went on: {during}"
    first_of_new, last_of_old = min(during[pod][0] for pod in new), max(during[pod][-1] for pod in old)
    assert first_of_new < last_of_old, "old and new pods answered side by side"
