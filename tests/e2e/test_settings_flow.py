"""From the resource to what users notice: fields and Secrets change, the pods roll, the service behaves otherwise."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from genai_testbed.instance import Instance
from genai_testbed.tour import QUESTION
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.node

CHANGE: dict[str, Any] = {
    "api": {"docsEnabled": False},
    "auth": {"accessExpireMinutes": 5, "adminEmail": "boss@example.com"},
    "cache": {"enabled": False},
    "llm": {"confidenceThreshold": "0"},
    "exposure": {"limits": {"apiRPS": 1, "apiBurst": 7}},
}
NOT_IN_THE_MANUALS = "What is the capital of France?"
SIGNING_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def tuned(make_instance: Callable[..., Instance]) -> Instance:
    """An instance of this module's own, because its settings change."""
    made = make_instance()
    made.ready(within=180)
    return made


def test_a_changed_field_rolls_the_pods_and_changes_what_users_notice(tuned: Instance) -> None:
    before = noticed(tuned)
    assert before == {
        "docs": 200, "token_seconds": 1800, "burst": "50", "refused": False, "cached": True,
        "handoff": "low_confidence",
    }  # fmt: skip
    pods = api_pods(tuned)
    tuned.kubectl.run("patch", "gai", tuned.name, "--type=merge", "--patch", json.dumps({"spec": CHANGE}))
    tuned.ready(within=180)
    assert api_pods(tuned).isdisjoint(pods)
    assert noticed(tuned) == {
        "docs": 404, "token_seconds": 300, "burst": "7", "refused": True, "cached": False, "handoff": None,
    }  # fmt: skip


def test_the_administrator_of_the_resource_signs_in_with_the_password_of_its_secret(tuned: Instance) -> None:
    secret = tuned.kubectl.get("secret", f"{tuned.name}-admin")
    password = base64.b64decode(secret["data"]["password"]).decode()
    with tuned.http(staying_pod(tuned)) as client:
        account = {"email": CHANGE["auth"]["adminEmail"], "password": password}
        tokens = client.post("/api/v1/auth/login", json=account).raise_for_status().json()
        assert who_am_i(client, tokens["access_token"]).json()["role"] == "admin"


def test_a_changed_secret_of_a_person_rolls_the_pods_and_is_what_signs_from_then_on(tuned: Instance) -> None:
    literal = f"--from-literal=jwt-secret-key={SIGNING_KEY}"
    tuned.kubectl.run("create", "secret", "generic", "signing", literal)
    reference = {"spec": {"auth": {"jwtSecretRef": {"name": "signing"}}}}
    tuned.kubectl.run("patch", "gai", tuned.name, "--type=merge", "--patch", json.dumps(reference))
    tuned.ready(within=180)
    with tuned.conversation(target=staying_pod(tuned)) as talk:
        token = talk.client.headers["Authorization"].removeprefix("Bearer ")
        assert who_am_i(talk.client, token).status_code == 200

    pods = api_pods(tuned)
    values = {"stringData": {"jwt-secret-key": SIGNING_KEY.upper()}}
    tuned.kubectl.run("patch", "secret", "signing", "--type=merge", "--patch", json.dumps(values))
    eventually(lambda: api_pods(tuned).isdisjoint(pods), within=180)
    tuned.ready(within=30)
    with tuned.http(staying_pod(tuned)) as client:
        assert who_am_i(client, token).status_code == 401


def noticed(instance: Instance) -> dict[str, Any]:
    """What users notice of the settings that this module changes."""
    with instance.conversation(target=staying_pod(instance)) as talk:
        account = {"email": instance.email, "password": instance.password}
        tokens = talk.client.post("/api/v1/auth/login", json=account).raise_for_status().json()
        first = talk.client.post("/api/v1/chat", json={"message": QUESTION}).raise_for_status()
        again = talk.client.post("/api/v1/chat", json={"message": QUESTION}).raise_for_status().json()
        unsure = talk.client.post("/api/v1/chat", json={"message": NOT_IN_THE_MANUALS}).raise_for_status().json()
        asked = [who_am_i(talk.client, tokens["access_token"]).status_code for _ in range(20)]
        return {
            "docs": talk.client.get("/docs").status_code,
            "token_seconds": tokens["expires_in"],
            "burst": first.headers["X-RateLimit-Limit"],
            "refused": 429 in asked,
            "cached": again["cached"],
            "handoff": unsure["handoff"]["reason"] if unsure["handoff"] else None,
        }


def who_am_i(client: httpx2.Client, token: str) -> httpx2.Response:
    """The caller's own account."""
    return client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})


def api_pods(instance: Instance) -> set[str]:
    """The names of the API's pods that stay."""
    return {pod["metadata"]["name"] for pod in instance.pods("api")}


def staying_pod(instance: Instance) -> str:
    """One of them, as a target: the Service may still lead to a pod that is stopping."""
    return f"pod/{max(api_pods(instance))}"
