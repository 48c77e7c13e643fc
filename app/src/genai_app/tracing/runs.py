"""What happened in a turn as a tree of runs, collected while it happens and handed over whole when it ends.

    with tracing.turn(message=…) as run:            one per turn, in `chat.turn`
        with step("retrieve", "retriever", query=…) as found:     anywhere below, in any module
            found.gives(passages=…)
        run.gives(response=…)

Without a sink, `step` costs a look at a context variable. Values are kept as they are; the sink renders them, in its
own time.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

Kind = Literal["chain", "llm", "retriever", "tool"]


@dataclass
class Run:
    """One step: what went in, what came out, how long it took. `error` is the exception's text, if one ended it."""

    name: str
    kind: Kind
    inputs: Mapping[str, Any]
    trace: "Trace"
    parent: "Run | None" = None
    outputs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    id: UUID = field(default_factory=uuid4)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None

    def gives(self, **outputs: Any) -> None:
        """Say what came out."""
        self.outputs.update(outputs)


@dataclass
class Trace:
    """The runs of one turn in the order of their beginnings, the root first; `metadata` belongs to all of them."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    context: Any = None
    """OpenTelemetry's context when the turn began: its spans belong below the request's."""
    open: bool = True

    def begin(self, name: str, kind: Kind, inputs: Mapping[str, Any], parent: Run | None) -> Run:
        """A run that begins now."""
        run = Run(name, kind, inputs, self, parent)
        self.runs.append(run)
        return run


class Sink(Protocol):
    """Where finished traces go."""

    def export(self, trace: Trace) -> None:
        """Take the trace; quick, and never an error."""

    async def close(self) -> None:
        """Send what waits, within a few seconds."""


_current: ContextVar[Run | None] = ContextVar("run", default=None)
_NOBODY_WATCHES = Run("", "chain", {}, Trace(open=False))


class Tracing:
    """Traces turns into `sinks`; without any, nothing is collected."""

    def __init__(self, sinks: Sequence[Sink] = ()) -> None:
        self._sinks = tuple(sinks)

    @property
    def on(self) -> bool:
        """Whether anything is collected."""
        return bool(self._sinks)

    @contextmanager
    def turn(self, name: str, metadata: Mapping[str, Any], **inputs: Any) -> Iterator[Run]:
        """The root of a trace, around a whole turn. It may be entered and left in different tasks."""
        if not self._sinks:
            yield _NOBODY_WATCHES
            return
        trace = Trace(metadata, context=_opentelemetry_context())
        try:
            with _running(trace.begin(name, "chain", inputs, None)) as root:
                yield root
        finally:
            trace.open = False
            for sink in self._sinks:
                sink.export(trace)


@contextmanager
def step(name: str, kind: Kind = "chain", **inputs: Any) -> Iterator[Run]:
    """A step of the turn that is being traced in this context; nothing when none is."""
    parent = _current.get()
    if parent is None or not parent.trace.open:
        yield _NOBODY_WATCHES
        return
    with _running(parent.trace.begin(name, kind, inputs, parent)) as run:
        yield run


@contextmanager
def _running(run: Run) -> Iterator[Run]:
    # Set, not reset by token: an asynchronous generator may be closed in another context than it was started in.
    _current.set(run)
    try:
        yield run
    except BaseException as error:
        run.error = f"{type(error).__name__}: {error}"
        raise
    finally:
        run.ended = datetime.now(UTC)
        _current.set(run.parent)


def _opentelemetry_context() -> Any:
    from opentelemetry import context  # FastAPI has loaded it already

    return context.get_current()
