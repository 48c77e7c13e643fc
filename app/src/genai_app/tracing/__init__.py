"""Traces of turns for LangSmith and OpenTelemetry: off by default, always masked, never in the way of an answer."""

from genai_app.tracing.runs import Run, Sink, Trace, Tracing, step

__all__ = ["Run", "Sink", "Trace", "Tracing", "step"]
