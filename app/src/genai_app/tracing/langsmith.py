"""Sends traces to LangSmith's HTTP API: masked, from a thread of its own, out of a bounded queue."""

import asyncio
import json
import queue
from collections.abc import Sequence
from threading import Thread
from typing import Any, Final
from uuid import UUID

from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_app.privacy import mask_json
from genai_app.settings import Settings
from genai_app.tracing.runs import Trace
from genai_contract.metrics import TRACES

LONGEST_QUEUE: Final = 256
"""Traces that may wait; one more is dropped and counted: an answer never waits for LangSmith."""
LARGEST_BATCH: Final = 20
CONNECT_MILLISECONDS: Final = 2_000
READ_MILLISECONDS: Final = 10_000
CLOSE_SECONDS: Final = 5.0
EXPORTER: Final = "langsmith"

log = get_logger(__name__)


class LangSmithSink:
    """Takes traces on any thread; the sending thread ends with `close`."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._waiting: queue.Queue[Trace | None] = queue.Queue(LONGEST_QUEUE)
        self._failed = False
        self._thread = Thread(target=self._send_until_closed, name=EXPORTER, daemon=True)
        self._thread.start()

    def export(self, trace: Trace) -> None:
        """Queue it, or drop it when LangSmith is slower than the customers."""
        try:
            self._waiting.put_nowait(trace)
        except queue.Full:
            self._count("dropped", 1)

    async def close(self) -> None:
        """Send what waits; what cannot be sent in time is lost."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        try:
            self._waiting.put(None, timeout=CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(CLOSE_SECONDS)

    def _send_until_closed(self) -> None:
        client = self._client()
        closing = False
        while not closing:
            batch, closing = self._batch()
            if batch:
                self._send(client, batch)

    def _batch(self) -> tuple[list[Trace], bool]:
        """What waits, at least one; and whether the end is reached."""
        batch: list[Trace] = []
        trace = self._waiting.get()
        while trace is not None:
            batch.append(trace)
            if len(batch) == LARGEST_BATCH or self._waiting.empty():
                return batch, False
            trace = self._waiting.get()
        return batch, True

    def _send(self, client: Any, batch: Sequence[Trace]) -> None:
        self._failed = False
        try:
            client.batch_ingest_runs(create=[run for trace in batch for run in rendered(trace, self._project)])
        except Exception:  # whatever it is, it must not end the thread
            log.exception("traces could not be sent", exporter=EXPORTER)
            self._failed = True
        self._count("failed" if self._failed else "sent", len(batch))

    def _client(self) -> Any:
        """Loaded here, in the sending thread: 0.3 s that nobody waits for. It only serialises, sends and retries."""
        from langsmith import Client
        from langsmith.schemas import LangSmithInfo

        return Client(
            self._settings.langchain_endpoint,
            api_key=self._settings.langchain_api_key.get_secret_value(),
            timeout_ms=(CONNECT_MILLISECONDS, READ_MILLISECONDS),
            auto_batch_tracing=False,
            info=LangSmithInfo(),
            omit_traced_runtime_info=True,
            tracing_error_callback=self._note_failure,
        )

    @property
    def _project(self) -> str:
        return self._settings.langchain_project

    def _note_failure(self, _: Exception) -> None:
        self._failed = True

    def _count(self, outcome: str, traces: int) -> None:
        self._metrics.count(TRACES, traces, exporter=EXPORTER, outcome=outcome)


def rendered(trace: Trace, project: str) -> list[dict[str, Any]]:
    """The runs as LangSmith's API takes them, every text masked; pure."""
    orders: dict[UUID, str] = {}
    runs = []
    for run in trace.runs:
        order = f"{run.started:%Y%m%dT%H%M%S%fZ}{run.id}"
        orders[run.id] = f"{orders[run.parent.id]}.{order}" if run.parent else order
        told = {"inputs": dict(run.inputs), "outputs": run.outputs, "error": run.error, "metadata": trace.metadata}
        masked = mask_json(json.loads(json.dumps(told, default=str)))
        runs.append(
            {
                "id": str(run.id),
                "trace_id": str(trace.runs[0].id),
                "parent_run_id": str(run.parent.id) if run.parent else None,
                "dotted_order": orders[run.id],
                "name": run.name,
                "run_type": run.kind,
                "session_name": project,
                "start_time": run.started.isoformat(),
                "end_time": (run.ended or run.started).isoformat(),
                "inputs": masked["inputs"],
                "outputs": masked["outputs"],
                "error": masked["error"],
                "extra": {"metadata": masked["metadata"]},
            }
        )
    return runs
