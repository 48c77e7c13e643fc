"""A proxy between the operator and the real API server that spoils chosen answers: the API server itself stays well."""

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp
from aiohttp import web
from multidict import CIMultiDict


class Fault(StrEnum):
    """What happens to one call."""

    CONFLICT = "409"
    INVALID = "422"
    TOO_MANY = "429 with Retry-After"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    SILENCE = "no answer"
    RESET = "reset before it arrives"
    LOST = "answer lost after the commit"
    KILLED_BEFORE = "operator killed before"
    KILLED_AFTER = "operator killed after"


ANSWERS = {
    Fault.CONFLICT: (409, "Conflict"),
    Fault.INVALID: (422, "Invalid"),
    Fault.TOO_MANY: (429, "TooManyRequests"),
    Fault.INTERNAL: (500, "InternalError"),
    Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
}


@dataclass(frozen=True)
class Call:
    """One request of the operator about a namespace."""

    method: str
    path: str


@dataclass
class Script:
    """What was asked about one namespace since the script was set, and which call is spoilt, counted from 0."""

    spoilt: int | None = None
    fault: Fault | None = None
    calls: list[Call] = field(default_factory=list)
    fired: float | None = None


@dataclass
class FaultProxy:
    """Serves on loopback. `kill` ends the operator at once. `watch_fault` spoils every watch while it is set.

    speaking: while it is not set, watches say nothing. never: set by nobody.
    """

    upstream: str
    context: ssl.SSLContext
    kill: Callable[[], Awaitable[None]]
    scripts: dict[str, Script] = field(default_factory=lambda: defaultdict(Script))
    watch_fault: str = ""
    speaking: asyncio.Event = field(default_factory=asyncio.Event)
    never: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FaultProxy"]:
        """Serve while the block runs."""
        self.speaking.set()
        connector = aiohttp.TCPConnector(ssl=self.context, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

            async def handle(request: web.Request) -> web.StreamResponse:
                try:
                    return await self._handle(request, session)
                except ConnectionError:  # the operator has gone in the middle of it
                    return web.Response()

            app = web.Application(client_max_size=2**24)
            app.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = int(runner.addresses[0][1])
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        if request.query.get("watch") == "true":
            return await self._watch(request, session)
        fault = self._next_fault(request)
        if fault in ANSWERS:
            return spoilt(fault)
        if fault is Fault.SILENCE:
            await self.never.wait()  # the operator gives up before; this ends with the proxy
        if fault in (Fault.RESET, Fault.KILLED_BEFORE):
            return await self._cut(request, fault)
        body = await request.read()
        async with session.request(request.method, self.upstream + str(request.rel_url), data=body or None,
                                   headers=passed_on(request.headers)) as answer:  # fmt: skip
            content = await answer.read()
            if fault in (Fault.LOST, Fault.KILLED_AFTER):
                return await self._cut(request, fault)
            return web.Response(status=answer.status, body=content, headers=passed_on(answer.headers))

    def _next_fault(self, request: web.Request) -> Fault | None:
        parts = request.path.split("/")
        if "namespaces" not in parts or len(parts) <= parts.index("namespaces") + 2:
            return None
        script = self.scripts[parts[parts.index("namespaces") + 1]]
        number = len(script.calls)
        script.calls.append(Call(request.method, request.path))
        if script.spoilt != number or script.fault is None:
            return None
        script.fired = asyncio.get_running_loop().time()
        return script.fault

    async def _cut(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            await self.kill()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _watch(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        if self.watch_fault == "gone":
            return spoilt(None)
        url = self.upstream + str(request.rel_url)
        async with session.get(url, headers=passed_on(request.headers), timeout=aiohttp.ClientTimeout()) as answer:
            response = web.StreamResponse(status=answer.status, headers=passed_on(answer.headers))
            await response.prepare(request)
            rest = b""
            async for piece in answer.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    await self.speaking.wait()
                    if self.watch_fault == "dropped":
                        return await self._cut(request, Fault.RESET)
                    await response.write((line + b"\n") * (2 if self.watch_fault == "duplicated" else 1))
            return response


def spoilt(fault: Fault | None) -> web.Response:
    """An answer as the API server gives it; None: the resource version is too old."""
    status, reason = ANSWERS[fault] if fault is not None else (410, "Expired")
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": "spoilt",
        "code": status,
    }
    headers = {"Retry-After": "1"} if fault is Fault.TOO_MANY else {}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)


def passed_on(headers: "CIMultiDict[str] | aiohttp.typedefs.LooseHeaders") -> CIMultiDict[str]:
    """Headers that concern both ends; the others are each connection's own."""
    own = {"host", "connection", "transfer-encoding", "content-length", "keep-alive"}
    return CIMultiDict((name, value) for name, value in CIMultiDict(headers).items() if name.lower() not in own)
