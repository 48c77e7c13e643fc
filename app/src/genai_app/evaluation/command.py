"""`genai-auto evaluate`: runs one evaluation, each with what it needs and nothing more."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from rich.console import Console
from rich.progress import Progress

from genai_app import __version__, db
from genai_app.agents.answering import Agents, build_agents
from genai_app.agents.routing import Router
from genai_app.evaluation import cache, privacy, routing, unanswerable
from genai_app.evaluation.report import Report, as_json, show
from genai_app.metrics import Metrics
from genai_app.rag.embedding import build_embedder
from genai_app.settings import Settings


async def evaluate(subject: str, settings: Settings, *, as_data: bool) -> bool:
    """Print the report, as tables or as JSON; whether its goals are met. Raises what the evaluation raises."""
    report = await _report(subject, settings)
    if as_data:
        sys.stdout.write(as_json(report) + "\n")
    else:
        show(report, Console())
    return report.met


async def _report(subject: str, settings: Settings) -> Report:
    if subject == "privacy":
        return privacy.report()
    if subject == "unanswerable":
        return await _unanswerable(settings)
    async with httpx2.AsyncClient() as http:
        embedder = build_embedder(settings, http)
        with Console(stderr=True).status("Embedding the questions …"):
            return await (routing.report(Router(embedder)) if subject == "routing" else cache.report(embedder))


async def _unanswerable(settings: Settings) -> Report:
    async with _agents(settings) as agents:
        await agents.warm_up()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Asking", total=len(unanswerable.load()))
            return await unanswerable.report(agents, step=lambda: progress.advance(task))


@asynccontextmanager
async def _agents(settings: Settings) -> AsyncIterator[Agents]:
    """The agents as the settings have them, on the knowledge base of the database."""
    async with db.open_pool(settings) as pool, httpx2.AsyncClient() as http:
        yield build_agents(settings=settings, pool=pool, metrics=Metrics(__version__), http=http)
