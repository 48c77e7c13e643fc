"""OpenTelemetry: the framework's spans of requests and our spans of turns, masked on their way out.

The SDK is the extra `tracing` of this package. Nothing is set up, and nothing is loaded, while
OTEL_EXPORTER_OTLP_ENDPOINT is empty.
"""

import asyncio
import json
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from fastapi.telemetry import TelemetryConfig

from genai_app.errors import ConfigurationError
from genai_app.privacy import mask_json
from genai_app.settings import Settings
from genai_app.tracing.runs import Run, Trace
from genai_contract.endpoints import HEALTH_PATH, LIVENESS_PATH, METRICS_PATH, READINESS_PATH

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

LONGEST_ATTRIBUTE: Final = 8_000
"""Characters of a text in a span."""
_PROBES: Final = frozenset({HEALTH_PATH, LIVENESS_PATH, METRICS_PATH, READINESS_PATH})
OFF: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def telemetry(provider: "TracerProvider | None") -> TelemetryConfig:
    """What FastAPI is told: spans of requests only. Metrics are Prometheus', and logs would hold what was thrown."""
    if provider is None:
        return OFF
    return {**OFF, "tracing": True, "tracer_provider": provider, "operation_spans": False, "exclude": _is_probe}


def open_provider(settings: Settings) -> "TracerProvider | None":
    """The provider that sends to the collector; None without one. Raises ConfigurationError without the SDK."""
    if not settings.otel_exporter_otlp_endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigurationError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install 'genai-auto-app[tracing]', or leave the variable empty"
        ) from error
    exporter = OTLPSpanExporter(
        endpoint=f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces",
        headers=_headers(settings.otel_exporter_otlp_headers.get_secret_value()),
    )
    provider = TracerProvider(resource=Resource.create({"service.name": settings.otel_service_name}))
    provider.add_span_processor(BatchSpanProcessor(cast("SpanExporter", Masking(exporter))))
    return provider


class Masking:
    """A span exporter before another one: masks what the spans say; runs in the exporter's thread."""

    def __init__(self, exporter: "SpanExporter") -> None:
        self._exporter = exporter

    def export(self, spans: "Sequence[ReadableSpan]") -> "SpanExportResult":
        """Pass masked copies on."""
        return self._exporter.export([masked(span) for span in spans])

    def shutdown(self) -> None:
        """Close the other one."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the other one."""
        return self._exporter.force_flush(timeout_millis)


def masked(span: "ReadableSpan") -> "ReadableSpan":
    """A copy of the span whose name, attributes, events and status are masked; pure."""
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Status

    return ReadableSpan(
        name=mask_json(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_shown(span.attributes),
        events=[Event(event.name, _shown(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, mask_json(span.status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _shown(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Masked first, then cut: half an address is not found any more."""
    found = mask_json(dict(attributes or {}))
    return {name: value[:LONGEST_ATTRIBUTE] if isinstance(value, str) else value for name, value in found.items()}


class OpenTelemetrySink:
    """Makes spans of a finished trace, below the request's span."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("genai_app")

    def export(self, trace: Trace) -> None:
        """A span for each run, with the times of the run."""
        from opentelemetry.trace import StatusCode, set_span_in_context

        contexts: dict[UUID | None, Context] = {None: trace.context}
        for run in trace.runs:
            parent = contexts[run.parent.id if run.parent else None]
            attributes, started = _attributes(run, trace.metadata), _nanoseconds(run.started)
            span = self._tracer.start_span(run.name, context=parent, attributes=attributes, start_time=started)
            if run.error:
                span.set_status(StatusCode.ERROR, run.error)
            contexts[run.id] = set_span_in_context(span, parent)
            span.end(_nanoseconds(run.ended or run.started))

    async def close(self) -> None:
        """Send what waits."""
        await asyncio.to_thread(self._provider.shutdown)


def _attributes(run: Run, metadata: Mapping[str, Any]) -> dict[str, str]:
    told = {"input": run.inputs, "output": run.outputs}
    texts = {f"genai_auto.{name}": json.dumps(value, default=str, ensure_ascii=False) for name, value in told.items()}
    return {
        "genai_auto.kind": run.kind,
        **{f"genai_auto.{name}": str(value) for name, value in metadata.items()},
        **texts,
    }


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000


def _headers(text: str) -> dict[str, str]:
    """`name=value,name=value`, as the variable is specified."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _is_probe(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in _PROBES
