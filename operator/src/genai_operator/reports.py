"""What the API of each instance says of itself: one ready pod is asked for a few of its metrics, every minute."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Final

import aiohttp
import structlog
from prometheus_client.parser import text_string_to_metric_families

from genai_contract import metrics as names
from genai_operator.diagnosis import is_ready
from genai_operator.manifests import Manifest, Ref, dig
from genai_operator.naming import COMPONENT, Component
from genai_operator.observed import Report
from genai_operator.store import Store

SPENDING_SECONDS: Final = 300.0
"""What was spent is written into the status at most this often, unless it passes a limit."""
STALE_SECONDS: Final = 300.0
"""A report counts for so long although no pod answers any more."""
FIRST_LOOK_SECONDS: Final = 5.0
_ONCE_MORE_SECONDS: Final = 0.5
_FIRST_ANSWER_SECONDS: Final = 5.0
"""Pause between two looks for pods that have just become ready."""
_ANSWER_SECONDS: Final = 2.0
_AT_ONCE: Final = 20
_LARGEST_PAGE: Final = 64 * 1024
_ASKED: Final = tuple(
    spec.name
    for spec in (names.LLM_REACHABLE, names.BUDGET_SPENT, names.BUDGET_LIMIT, names.BUDGET_WARNING, names.DATABASE_SIZE)
)

log = structlog.get_logger(__name__)


class Reports:
    """The last report of each instance. `port`: where pods serve their metrics. Nothing here fails a reconcile."""

    def __init__(
        self,
        store: Store,
        port: int,
        pause_seconds: float,
        on_change: Callable[[Ref], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._store = store
        self._port = port
        self._pause = pause_seconds
        self._on_change = on_change
        self._last: dict[Ref, Report] = {}
        self._answered: dict[Ref, float] = {}
        self._spending_since: dict[Ref, float] = {}

    def of(self, instance: Ref) -> Report | None:
        """The last report; None where no pod has answered lately."""
        return self._last.get(instance)

    async def first_look(self) -> None:
        """Look once, for a bounded time: a start that knew nothing would change every status, and change it back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_SECONDS):
                await self._look()
                while any(self._is_silent(instance) for instance in self._store.instances()):
                    await asyncio.sleep(_ONCE_MORE_SECONDS)
                    await self._look()

    async def run(self) -> None:
        """Ask all instances again and again until cancelled."""
        while True:
            await asyncio.sleep(min(self._pause, _FIRST_ANSWER_SECONDS))
            await self._look()

    async def _look(self) -> None:
        """Ask those that said nothing yet, and those whose report is as old as it may be."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        gate = asyncio.Semaphore(_AT_ONCE)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:

            async def ask(instance: Ref) -> None:
                async with gate:
                    self.take(instance, await self._ask(session, instance))

            instances = self._store.instances()
            await asyncio.gather(*(ask(instance) for instance in instances if self._is_due(instance)))
        for gone in self._last.keys() - set(instances):
            self.take(gone, None)

    def _is_silent(self, instance: Ref) -> bool:
        """Whether a pod is ready, and has not said all yet: it, or we, may be busy with the start."""
        known = self._last.get(instance)
        complete = known is not None and known.database_bytes is not None
        return not complete and ready_pod(self._store.children(instance).values()) is not None

    def _is_due(self, instance: Ref) -> bool:
        age = self._clock() - self._answered.get(instance, -math.inf)
        return age >= self._pause or self._is_silent(instance)

    async def _ask(self, session: aiohttp.ClientSession, instance: Ref) -> Report | None:
        """A report; the last one for a while, where no pod is ready or none answers."""
        pod = ready_pod(self._store.children(instance).values())
        try:
            if pod is not None:
                report = read(await page(session, f"http://{_host(pod)}:{self._port}/metrics"))
                self._answered[instance] = self._clock()
                return report
        except Exception as error:  # noqa: BLE001 - whatever a pod says must not end the operator
            log.debug("report.missing", resource=str(instance), error=repr(error))
        recent = self._clock() - self._answered.get(instance, -math.inf) < STALE_SECONDS
        return self._last.get(instance) if recent else None

    def take(self, instance: Ref, report: Report | None) -> None:
        """Keep what was said; None: nobody answered."""
        before = self._last.get(instance)
        if report is None:
            self._last.pop(instance, None)
            self._answered.pop(instance, None)
            self._spending_since.pop(instance, None)
        else:
            if before is not None and report.database_bytes is None:  # a new pod has not looked yet
                report = replace(report, database_bytes=before.database_bytes)
            now = self._clock()
            known_for = now - self._spending_since.get(instance, -SPENDING_SECONDS)
            if before is None or passed_limits(before) != passed_limits(report) or known_for >= SPENDING_SECONDS:
                self._spending_since[instance] = now
            else:
                report = replace(report, spent_hour=before.spent_hour, spent_month=before.spent_month)
            self._last[instance] = report
        if report != before:
            self._on_change(instance)


def _host(pod: Manifest) -> str:
    address = str(dig(pod, "status", "podIP"))
    return f"[{address}]" if ":" in address else address


async def page(session: aiohttp.ClientSession, url: str) -> str:
    """A page of bounded size; a pod cannot send us elsewhere. Raises ValueError, aiohttp.ClientError, TimeoutError."""
    query = [("name[]", name) for name in _ASKED]
    async with session.get(url, params=query, allow_redirects=False) as answer:
        if answer.status != 200:
            raise ValueError(f"the pod answered {answer.status}")
        text = b""
        async for piece in answer.content.iter_any():
            text += piece
            if len(text) > _LARGEST_PAGE:
                raise ValueError(f"the pod sent more than {_LARGEST_PAGE} bytes")
        return text.decode()


def passed_limits(report: Report) -> tuple[bool, ...]:
    """Which limits are passed: what must be known at once."""
    return report.hour_is_spent, report.month_is_spent, report.is_above_warning


def ready_pod(children: Iterable[Manifest]) -> Manifest | None:
    """A ready pod of the API with an address, the first by name."""
    pods = [
        item
        for item in children
        if item["kind"] == "Pod"
        and dig(item, "metadata", "labels", COMPONENT) == Component.API.value
        and dig(item, "status", "podIP")
        and "deletionTimestamp" not in item["metadata"]
        and is_ready(item)
    ]
    return min(pods, key=lambda pod: str(pod["metadata"]["name"]), default=None)


def read(text: str) -> Report:
    """A report from Prometheus' text format. Raises ValueError for anything else."""
    samples: dict[tuple[str, str], float] = {
        (sample.name, sample.labels.get("period", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return Report(
        llm_reachable=samples.get((names.LLM_REACHABLE.name, ""), 1.0) > 0,
        spent_hour=_dollars(samples, names.BUDGET_SPENT.name, "hour") or Decimal(0),
        spent_month=_dollars(samples, names.BUDGET_SPENT.name, "month") or Decimal(0),
        limit_hour=_dollars(samples, names.BUDGET_LIMIT.name, "hour"),
        limit_month=_dollars(samples, names.BUDGET_LIMIT.name, "month"),
        warning=_dollars(samples, names.BUDGET_WARNING.name, ""),
        database_bytes=int(samples.get((names.DATABASE_SIZE.name, ""), 0.0)) or None,
    )


def _dollars(samples: Mapping[tuple[str, str], float], name: str, period: str) -> Decimal | None:
    value = samples.get((name, period))
    return None if value is None else Decimal(repr(value)).quantize(Decimal("0.01"))
