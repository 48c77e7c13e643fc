"""A scheduling system on a loopback port, in memory; it holds both sides to `docs/reference/scheduler-api.yaml`."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.app.conftest import until
from tests.app.scheduling.conftest import WORKSHOP

from genai_app.scheduling.values import Slot

CONTRACT = yaml.safe_load((Path(__file__).parents[3] / "docs/reference/scheduler-api.yaml").read_text())
KEY = "a-key-of-the-workshop"


@dataclass
class Fault:
    """What goes wrong with one request; `after`: what was asked for is done all the same."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    hangs: bool = False


@dataclass
class System:
    """One place for cars. `faults` are played in order; `broken` are breaches of the contract that were seen."""

    base_url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    appointments: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        """Check, do, check."""
        operation, body = _operation(request), await request.body()
        self.requests.append(f"{request.method} {request.url.path}")
        self._check_request(request, operation, body)
        fault = self.faults.pop(0) if self.faults else None
        if fault and not fault.after:
            return await _fail(fault)
        status, reply = self._do(request, json.loads(body) if body else {})
        self._check_reply(operation, status, reply)
        if fault:
            return await _fail(fault)
        return Response(json.dumps(reply), status, media_type="application/json")

    def _do(self, request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        path, number = request.url.path, request.path_params.get("id", "")
        if path == "/v1/slots":
            begins, ends = (datetime.fromisoformat(request.query_params[name]) for name in ("from", "until"))
            return 200, {"slots": [_slot(slot) for slot in self._free(begins, ends)]}
        if path == "/v1/appointments" and request.method == "GET":
            owner = request.query_params["customer_id"]
            own = [each for each in self.appointments.values() if each["customer_id"] == owner]
            return 200, {"appointments": [each for each in own if each["status"] == "scheduled"]}
        key = request.headers["idempotency-key"]
        if key in self.keys:
            return 200, self.appointments[self.keys[key]]
        found = self.appointments.get(number)
        if number and (found is None or found["customer_id"] != body["customer_id"]):
            return 404, {}
        if found is not None and path.endswith("/cancel"):
            found["status"] = "cancelled"
            return 200, found
        return self._place(found, body, key)

    def _place(self, found: dict[str, Any] | None, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        slot = WORKSHOP.slot_at(datetime.fromisoformat(body["starts_at"]))
        if slot is None or slot not in self._free(slot.starts_at, slot.ends_at):
            day = datetime.fromisoformat(body["starts_at"])
            near = self._free(day - timedelta(hours=2), day + timedelta(hours=3))
            reason = "taken" if slot else "closed"
            return 409, {"code": "slot-taken", "reason": reason, "alternatives": [_slot(each) for each in near]}
        if found is None:
            found = {"id": f"W-{len(self.appointments) + 1}", "status": "scheduled", **body}
            self.appointments[found["id"]] = found
        found.update(_slot(slot))
        self.keys[key] = found["id"]
        return 201, found

    def _free(self, begins: datetime, ends: datetime) -> list[Slot]:
        taken = {each["starts_at"] for each in self.appointments.values() if each["status"] == "scheduled"}
        return [slot for slot in WORKSHOP.slots_between(begins, ends) if slot.starts_at.isoformat() not in taken]

    def _check_request(self, request: Request, operation: dict[str, Any], body: bytes) -> None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            self.broken.append(f"{request.url.path}: no key")
        given = {"query": request.query_params, "header": request.headers, "path": request.path_params}
        for parameter in map(_resolved, operation.get("parameters", ())):
            value = given[parameter["in"]].get(parameter["name"])
            if parameter["schema"].get("type") == "integer" and value is not None:
                value = int(value)
            self._check(f"{request.url.path} {parameter['name']}", parameter["schema"], value)
        if "requestBody" in operation:
            self._check(request.url.path, _schema(operation["requestBody"]), json.loads(body))

    def _check_reply(self, operation: dict[str, Any], status: int, reply: dict[str, Any]) -> None:
        self._check(f"reply {status}", _schema(_resolved(operation["responses"][str(status)])), reply)

    def _check(self, where: str, schema: dict[str, Any], value: Any) -> None:
        whole = {**schema, "components": CONTRACT["components"]}
        validator = Draft202012Validator(whole, format_checker=FormatChecker())
        self.broken += [f"{where}: {error.message}" for error in validator.iter_errors(value)]


@asynccontextmanager
async def running_system() -> AsyncIterator[System]:
    """The system, serving; a breach of the contract by either side fails the test."""
    system = System()
    app = Starlette(
        routes=[
            Route(path, system.answer, methods=[method.upper() for method in operations])
            for path, operations in CONTRACT["paths"].items()
        ]
    )
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server._serve([listening]))
        await until(lambda: server.started or serving.done())
        system.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            yield system
        finally:
            server.should_exit = True
            await serving
    assert system.broken == []


def _operation(request: Request) -> dict[str, Any]:
    for path, operations in CONTRACT["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.url.path):
            operation: dict[str, Any] = operations[request.method.lower()]
            return operation
    raise LookupError(request.url.path)


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = CONTRACT
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _schema(node: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = node["content"]["application/json"]["schema"]
    return schema


def _slot(slot: Slot) -> dict[str, str]:
    return {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}


async def _fail(fault: Fault) -> Response:
    if fault.hangs:
        await asyncio.Event().wait()
    return Response(fault.body, fault.status, headers=fault.headers, media_type="application/json")
