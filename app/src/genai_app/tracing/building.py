"""Which sinks traces go to, by the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from genai_app.metrics import Metrics
from genai_app.settings import Settings
from genai_app.tracing.langsmith import LangSmithSink
from genai_app.tracing.otel import OpenTelemetrySink
from genai_app.tracing.runs import Sink, Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


@asynccontextmanager
async def open_tracing(
    settings: Settings, metrics: Metrics, provider: "TracerProvider | None"
) -> AsyncIterator[Tracing]:
    """The tracing of one process, closed at the end of the block."""
    keep_libraries_from_tracing()
    sinks: list[Sink] = []
    if settings.langchain_tracing_v2:
        sinks.append(LangSmithSink(settings, metrics))
    if provider is not None:
        sinks.append(OpenTelemetrySink(provider))
    try:
        yield Tracing(sinks)
    finally:
        for sink in sinks:
            await sink.close()


def keep_libraries_from_tracing() -> None:
    """LangGraph obeys LANGCHAIN_TRACING_V2 by itself, and would send the whole state of a turn as it is, unmasked."""
    from langsmith import configure  # loaded already, by LangGraph

    configure(enabled=False)
