"""What a dependency that may be away costs: one timeout, once; after that nothing until it is back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_contract.metrics import DEPENDENCY_DOWN

PROBE_SECONDS = 0.5
"""Pause between two looks at a dependency that is away; the look is in the background, no request waits for it."""

Result = TypeVar("Result")
log = get_logger(__name__)


class Breaker:
    """Open while `dependency` is away. The first failure opens it; the first probe that succeeds closes it.

    `failures` are the errors that mean "away"; `probe` raises one of them while it still is.
    """

    def __init__(
        self,
        dependency: str,
        *,
        timeout: float,
        failures: tuple[type[Exception], ...],
        probe: Callable[[], Awaitable[object]],
        metrics: Metrics,
    ) -> None:
        self._dependency = dependency
        self._timeout = timeout
        self._failures: tuple[type[Exception], ...] = (*failures, TimeoutError)
        self._probe = probe
        self._metrics = metrics
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the dependency is taken for away."""
        return self._probing is not None

    async def attempt(self, policy: str, action: Callable[[], Awaitable[Result]], otherwise: Result) -> Result:
        """What `action` gives, or `otherwise` when the dependency is away or takes longer than the timeout.

        `policy` names in the metric what being without it means, such as `fail-open`.
        """
        if not self.is_open:
            try:
                async with asyncio.timeout(self._timeout):
                    return await action()
            except self._failures as error:
                self._open(error)
        self._metrics.count(DEPENDENCY_DOWN, dependency=self._dependency, policy=policy)
        return otherwise

    async def answers(self) -> bool:
        """Ask the dependency now, whatever the breaker thinks; for health reports."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._probe()
        except self._failures:
            return False
        return True

    async def close(self) -> None:
        """Stop looking: the process ends."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    def _open(self, error: Exception) -> None:
        if self._probing is None:
            log.warning("dependency is away", dependency=self._dependency, error=type(error).__name__)
            self._probing = asyncio.create_task(self._probe_until_back())

    async def _probe_until_back(self) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if await self.answers():
                log.warning("dependency is back", dependency=self._dependency)
                self._probing = None
                return
