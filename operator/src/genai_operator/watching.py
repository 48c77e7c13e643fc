"""What notices changes: informers keep the store current with our own objects; foreign Secrets are only noticed."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

import structlog

from genai_operator.api.crd import DEFINITION_NAME, spec_schema
from genai_operator.api.definitions import missing_fields
from genai_operator.cluster import Cluster
from genai_operator.errors import Expired, OperatorError
from genai_operator.foreign_secrets import References
from genai_operator.kinds import DEFINITION, OPTIONAL, SECRET, VERSION, Kind
from genai_operator.manifests import Manifest, Ref, dig
from genai_operator.metrics import Metrics
from genai_operator.naming import CHILD_SELECTOR
from genai_operator.store import Store

_WATCH_SECONDS: Final = (300, 600)
"""A watch ends after a random time within; the list that follows finds what the watch may have missed."""
_BACKOFF: Final = (0.5, 10.0)
"""First and longest pause in seconds after a failure."""

_FIRST_LIST_SECONDS: Final = 10.0
"""A kind that is served but cannot be listed, for want of a right, is as good as absent."""

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
        await _for_ever(self._list_and_watch, self._kind)

    async def _list_and_watch(self) -> None:
        items, version = await self._cluster.list(self._kind, self._namespace, labels=self._labels)
        touched = self._store.replace(self._kind.name, self._namespace, items)
        if self.listed.is_set():  # at the start the resources themselves are looked at, all of them
            self._notify(touched)
        self.listed.set()
        changes = self._cluster.watch(
            self._kind,
            self._namespace,
            labels=self._labels,
            since=version,
            seconds=_watch_seconds(),
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


class OptionalKinds:
    """Notices which optional kinds the API server has, and keeps an informer for each that it has.

    A kind counts as served once its objects are listed: before that every child of it would look absent.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        namespaces: tuple[str | None, ...],
        on_change: Callable[[Ref], None],
        pause_seconds: float,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._namespaces = namespaces
        self._pause = pause_seconds
        self._on_change = on_change
        self._etag = ""
        self._informers: dict[Kind, list[asyncio.Task[None]]] = {}
        self.served: frozenset[str] = frozenset()
        self.known = asyncio.Event()

    async def run(self) -> None:
        """Ask again and again until cancelled; an answer that has not changed costs a few milliseconds."""
        try:
            while True:
                try:
                    await self._look()
                except OperatorError as error:
                    log.warning("discovery.retry", error=str(error))
                else:
                    self.known.set()
                await asyncio.sleep(self._pause if self.known.is_set() else _BACKOFF[0])
        finally:
            for kind in list(self._informers):
                self._stop(kind)

    async def _look(self) -> None:
        answer = await self._cluster.discover(self._etag)
        if answer is None:
            return
        resources, etag = answer
        there = {kind for kind in OPTIONAL if (kind.api_version, kind.plural) in resources}
        for kind in self._informers.keys() - there:
            self._stop(kind)
        started = await asyncio.gather(*(self._start(kind) for kind in there - self._informers.keys()))
        if all(started):  # else it is tried again with the next look
            self._etag = etag
        served = frozenset(kind.name for kind in self._informers)
        if served != self.served:
            log.info("discovery.changed", served=sorted(served))
            self.served = served
            for instance in self._store.instances():
                self._on_change(instance)

    async def _start(self, kind: Kind) -> bool:
        """Whether the objects of a kind are known now. One that cannot be listed, for want of a right, is left out."""
        informers = [
            Informer(self._cluster, self._store, kind, namespace, CHILD_SELECTOR, self._on_change)
            for namespace in self._namespaces
        ]
        tasks = [asyncio.create_task(informer.run()) for informer in informers]
        try:
            async with asyncio.timeout(_FIRST_LIST_SECONDS):
                await asyncio.gather(*(informer.listed.wait() for informer in informers))
        except TimeoutError:
            log.warning("discovery.unlisted", kind=kind.plural, help="the operator may not list it: install its rights")
            for task in tasks:
                task.cancel()
            return False
        self._informers[kind] = tasks
        return True

    def _stop(self, kind: Kind) -> None:
        for task in self._informers.pop(kind):
            task.cancel()
        for namespace in self._namespaces:
            self._store.replace(kind.name, namespace, ())


class DefinitionWatch:
    """Notices when the API server's definition of our kind is older than this operator."""

    def __init__(self, cluster: Cluster, metrics: Metrics, pause_seconds: float, on_change: Callable[[], None]) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._pause = pause_seconds
        self._on_change = on_change
        self.missing: tuple[str, ...] = ()

    async def run(self) -> None:
        """Look again and again until cancelled. Without the right to look nothing is missing."""
        while True:
            try:
                self._judge(await self._cluster.get(DEFINITION, Ref("", DEFINITION_NAME)))
            except OperatorError as error:
                log.info("definition.unknown", error=str(error))
            await asyncio.sleep(self._pause)

    def _judge(self, definition: Manifest | None) -> None:
        versions = dig(definition, "spec", "versions", default=[])
        served = next((version for version in versions if version["name"] == VERSION), None)
        missing = missing_fields(spec_schema(), dig(served, "schema", "openAPIV3Schema", "properties", "spec"))
        self._metrics.outdated.set(bool(missing))
        if missing != self.missing:
            self.missing = missing
            if missing:
                log.warning("definition.outdated", missing=missing[:10], help="kubectl apply --server-side -f crds/")
            self._on_change()


class SecretWatch:
    """Notices changes of the Secrets that instances refer to, whoever made them.

    One watch for all, of metadata only: no value reaches this process by it, and nothing is kept.
    """

    def __init__(
        self, cluster: Cluster, references: References, namespace: str | None, on_change: Callable[[Ref], None]
    ) -> None:
        self._cluster = cluster
        self._references = references
        self._namespace = namespace
        self._on_change = on_change

    async def run(self) -> None:
        """Watch until cancelled; never gives up."""
        await _for_ever(self._watch, SECRET)

    async def _watch(self) -> None:
        version = await self._cluster.now(SECRET, self._namespace)
        for instance in self._references.instances():  # what changed before this watch went unnoticed
            self._on_change(instance)
        changes = self._cluster.watch(
            SECRET, self._namespace, labels="", since=version, seconds=_watch_seconds(), only_metadata=True
        )
        async with aclosing(changes):
            async for change, item in changes:
                if change == "BOOKMARK":
                    continue
                metadata = item["metadata"]
                for instance in self._references.instances_with(Ref(metadata["namespace"], metadata["name"])):
                    self._on_change(instance)


async def _for_ever(watch: Callable[[], Awaitable[None]], kind: Kind) -> None:
    """Watch again and again, with growing pauses while that fails."""
    pause = _BACKOFF[0]
    while True:
        try:
            await watch()
            pause = _BACKOFF[0]
        except Expired:
            continue
        except OperatorError as error:
            log.warning("informer.retry", kind=kind.plural, error=str(error), pause_seconds=pause)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, _BACKOFF[1])


def _watch_seconds() -> int:
    return random.randint(*_WATCH_SECONDS)  # noqa: S311 - jitter, not a secret
