"""The trace of a turn: what was asked, what was answered, around the events that pass through unchanged."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from genai_app.chat.ask import Turn
from genai_app.chat.events import Complete, Event
from genai_app.tracing import Tracing


async def traced(tracing: Tracing, turn: Turn, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The same events; the trace ends with them."""
    metadata = {"session_id": turn.session_id, "message_id": turn.ask.client_message_id}
    with tracing.turn("turn", metadata, message=turn.ask.message, earlier_messages=len(turn.history)) as run:
        async with aclosing(events) as passing:
            async for event in passing:
                if isinstance(event, Complete):
                    run.gives(**outcome(event))
                yield event


def outcome(complete: Complete) -> dict[str, Any]:
    """What a trace says of the end of a turn."""
    answer = complete.answer
    return {
        "response": answer.text,
        "agent": answer.agent,
        "confidence": answer.confidence,
        "cached": complete.cached,
        "model": answer.model,
        "tokens_in": complete.usage.tokens_in,
        "tokens_out": complete.usage.tokens_out,
        "cost_usd": str(complete.usage.cost_usd),
        "sources": [source.source for source in answer.sources],
        "tools": [{"name": tool.name, "arguments": dict(tool.arguments), "ok": tool.ok} for tool in answer.tools],
        "handoff": dict(complete.handoff) if complete.handoff else None,
    }
