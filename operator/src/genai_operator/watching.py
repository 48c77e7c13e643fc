"""Lean informers: each lists one kind by label, then watches it, keeps the store current and names what changed."""

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import structlog

from genai_operator.cluster import Cluster
from genai_operator.errors import Expired, OperatorError
from genai_operator.kinds import Kind
from genai_operator.manifests import Ref
from genai_operator.store import Store

_WATCH_SECONDS: Final = (300, 600)
"""A watch ends after a random time within; the list that follows finds what the watch may have missed."""
_BACKOFF: Final = (0.5, 10.0)
"""First and longest pause in seconds after a failure."""

log = structlog.get_logger(__name__)


class Informer:
    """Keeps the objects of one kind, in one namespace or in all, current in a store."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        kind: Kind,
        namespace: str | None,
        labels: str,
        on_change: Callable[[Ref], None],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._kind = kind
        self._namespace = namespace
        self._labels = labels
        self._on_change = on_change
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """List and watch until cancelled; never gives up."""
        pause = _BACKOFF[0]
        while True:
            try:
                await self._list_and_watch()
                pause = _BACKOFF[0]
            except Expired:
                continue
            except OperatorError as error:
                log.warning("informer.retry", kind=self._kind.plural, error=str(error), pause_seconds=pause)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
                pause = min(pause * 2, _BACKOFF[1])

    async def _list_and_watch(self) -> None:
        items, version = await self._cluster.list(self._kind, self._namespace, labels=self._labels)
        self._notify(self._store.replace(self._kind.name, self._namespace, items))
        self.listed.set()
        changes = self._cluster.watch(
            self._kind,
            self._namespace,
            labels=self._labels,
            since=version,
            seconds=random.randint(*_WATCH_SECONDS),  # noqa: S311 - jitter, not a secret
        )
        async with aclosing(changes):
            async for change, item in changes:
                if change == "DELETED":  # also when an object has lost the label
                    self._notify(self._store.remove(item))
                elif change != "BOOKMARK":
                    self._notify(self._store.put(item))

    def _notify(self, instances: set[Ref]) -> None:
        for instance in instances:
            self._on_change(instance)
