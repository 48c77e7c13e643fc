"""The operator's own HTTP endpoint: /livez, /readyz and /metrics."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from genai_operator.metrics import Metrics


@asynccontextmanager
async def serve(
    host: str, port: int, metrics: Metrics, *, alive: Callable[[], bool], ready: Callable[[], bool]
) -> AsyncIterator[int]:
    """Answer while the block runs; gives the port. `alive` is asked for each /livez: an open port proves nothing."""

    async def livez(request: web.Request) -> web.Response:
        del request
        if not alive():
            return web.Response(status=503, text="a reconcile is stuck\n")
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        del request
        return web.Response(text="ok\n") if ready() else web.Response(status=503, text="waiting for the first lists\n")

    async def scrape(request: web.Request) -> web.Response:
        del request
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
