"""What belongs to one person is closed to all others: every endpoint without a token, and with another's ids."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.app.conftest import Api, Login, Servers

from genai_app.main import create_app

pytestmark = pytest.mark.service

OPEN = {
    ("GET", "/health"), ("GET", "/livez"), ("GET", "/readyz"), ("GET", "/api/v1/metrics"),
    ("POST", "/api/v1/auth/register"), ("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
}  # fmt: skip
"""Endpoints without a token: new ones are closed unless they are named here."""
IDS = {"session_id": "01890a5d-ac96-774b-bcce-b302099a8057"}


def endpoints(app: Any) -> Iterator[tuple[str, str]]:
    """Method and path template of everything in the API's description."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path


async def test_every_endpoint_is_closed_or_named_as_open(api: Api) -> None:
    found = set(endpoints(api.app))
    assert found >= OPEN
    for method, path in sorted(found - OPEN):
        url = path.format(**IDS)
        for headers in ({}, {"Authorization": "Bearer x"}):
            reply = await api.client.request(method, url, headers=headers, json={})
            assert reply.status_code == 401, (method, path, reply.text)
            assert reply.json()["type"] == "urn:genai-auto:problem:not-authenticated"


class Theirs:
    """Ids of somebody's records."""

    def __init__(self, session_id: str, message_id: str, customer_id: UUID, vehicle_id: UUID) -> None:
        self.session_id, self.message_id = session_id, message_id
        self.customer_id, self.vehicle_id = str(customer_id), str(vehicle_id)


@pytest.fixture
async def theirs(api: Api) -> Theirs:
    ana = await api.register()
    turn = (await api.chat(ana)).json()
    [(customer, vehicle)] = await api.sql(
        "INSERT INTO vehicles (customer_id, brand, model) SELECT customer_id, 'GenAuto', 'X1' FROM users WHERE id = $1 "
        "RETURNING customer_id, id",
        UUID(ana.id),
    )
    return Theirs(turn["session_id"], turn["message_id"], customer, vehicle)


CHAT = {"message": "Which engine oil does it take?"}
TRIES = {
    "read a conversation": ("GET", "/api/v1/chat/history/{session_id}", None),
    "delete a conversation": ("DELETE", "/api/v1/chat/history/{session_id}", None),
    **{
        f"{name} {path}": ("POST", path, {**CHAT, name: f"{{{name}}}"})
        for path in ("/api/v1/chat", "/api/v1/chat/stream")
        for name in ("session_id", "customer_id", "vehicle_id")
    },
    "judge an answer": ("POST", "/api/v1/feedback", {"message_id": "{message_id}", "sentiment": "negative"}),
}


@pytest.mark.parametrize("what", TRIES)
async def test_what_is_somebody_elses_does_not_exist(api: Api, theirs: Theirs, what: str) -> None:
    method, path, body = TRIES[what]
    eve = await api.register("Eve")
    said = body and {name: value.format(**vars(theirs)) for name, value in body.items()}
    reply = await sent(api, eve, method, path.format(**vars(theirs)), said)
    assert reply.status_code == 404, reply.text
    assert reply.headers["content-type"] == "application/problem+json"


async def sent(api: Api, who: Login, method: str, url: str, body: dict[str, str] | None) -> httpx2.Response:
    return await api.client.request(method, url, headers=who.headers, json=body)


def test_every_endpoint_with_an_id_is_tried(servers: Servers) -> None:
    with_ids = {(method, path) for method, path in endpoints(create_app(servers.settings("any"))) if "{" in path}
    assert with_ids <= {(method, path) for method, path, _ in TRIES.values()}
