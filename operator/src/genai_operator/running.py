"""The composition root: builds the client, the store, the queue and the informers, runs them, and closes everything."""

import asyncio
import random
import signal
import socket
import uuid
from collections.abc import Sequence
from typing import Final

import kopf
import structlog
from kubernetes.aio.client.configuration import Configuration

from genai_operator.cluster import Cluster, load_configuration
from genai_operator.desired.context import Images
from genai_operator.errors import Terminating
from genai_operator.foreign_secrets import References
from genai_operator.gathering import Sources
from genai_operator.handlers import build_registry, build_settings
from genai_operator.kinds import CHILDREN
from genai_operator.leadership import Elector, LostLeadership
from genai_operator.manifests import Ref
from genai_operator.metrics import Metrics
from genai_operator.naming import CHILD_SELECTOR, LEASE_NAME
from genai_operator.queueing import FORGET, WorkQueue
from genai_operator.reconcile import reconcile
from genai_operator.reports import Reports
from genai_operator.serving import serve
from genai_operator.settings import OperatorSettings
from genai_operator.store import Store
from genai_operator.watching import DefinitionWatch, Informer, OptionalKinds, SecretWatch

_BEAT_SECONDS: Final = 5.0
_RENEWAL_SECONDS: Final = 4.0
"""Longest wait for an answer about the Lease: half of the time in which it must be renewed."""

log = structlog.get_logger(__name__)


class Operator:
    """One running operator. `namespaces` empty: all of them."""

    def __init__(self, settings: OperatorSettings, configuration: Configuration, namespaces: Sequence[str]) -> None:
        self._settings = settings
        self._configuration = configuration
        self._namespaces = tuple(namespaces)
        self._stop = asyncio.Event()
        self._working = False
        self.metrics = Metrics()
        self._elector = _elector(
            settings, Cluster(configuration, self.metrics.count_answer, request_seconds=_RENEWAL_SECONDS)
        )
        self._cluster = Cluster(configuration, self.metrics.count_answer, self._leads, settings.request_seconds)
        images = Images(**settings.images())
        store = Store()
        scope = self._namespaces or (None,)
        self._queue = WorkQueue(self._reconcile, self.metrics, settings.workers)
        self._optional = OptionalKinds(self._cluster, store, scope, self._queue.changed, settings.discovery_seconds)
        self._reports = Reports(store, settings.report_port, settings.report_seconds, self._queue.changed)
        self._sources = Sources(
            self._cluster,
            store,
            images,
            References(),
            lambda: self._optional.served,
            lambda: self._definition.missing,
            self._reports.of,
            settings.pod_namespace,
        )
        self._informers = [
            Informer(self._cluster, store, kind, namespace, CHILD_SELECTOR, self._queue.changed)
            for kind in CHILDREN
            for namespace in scope
        ]
        self._definition = DefinitionWatch(self._cluster, self.metrics, settings.definition_seconds, self._look_at_all)
        self._secret_watches = [
            SecretWatch(self._cluster, self._sources.references, namespace, self._queue.changed) for namespace in scope
        ]

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; then finish the reconciles that have begun."""
        self._take_signals()
        endpoint = serve(
            self._settings.listen_host,
            self._settings.listen_port,
            self.metrics,
            alive=self._queue.healthy,
            ready=self._listed,
        )
        try:
            async with endpoint as port, asyncio.TaskGroup() as group:
                log.info("operator.started", port=port, namespaces=self._namespaces or "all")
                if not await self._elected():
                    return
                background = [group.create_task(informer.run()) for informer in self._informers]
                background.append(group.create_task(self._beat()))
                background.append(group.create_task(self._optional.run()))
                if not self._namespaces:  # who works in some namespaces has no rights in the cluster
                    background.append(group.create_task(self._definition.run()))
                keeping = group.create_task(self._elector.keep()) if self._elector is not None else None
                if await self._first_lists():
                    await self._reports.first_look()
                    started = asyncio.Event()
                    background += [
                        group.create_task(self._keep_signals(started)),
                        group.create_task(self._watch_resources(started)),
                        *(group.create_task(watch.run()) for watch in self._secret_watches),
                        group.create_task(self._reports.run()),
                    ]
                    await self._queue.run(self._stop)
                if self._elector is not None and keeping is not None:
                    keeping.cancel()
                    await asyncio.wait((keeping,))  # else it might take back what is given up
                    await self._elector.release()
                for task in background:
                    task.cancel()
        finally:
            await self._cluster.close()
            if self._elector is not None:
                await self._elector.close()
        log.info("operator.stopped")

    def _leads(self) -> bool:
        return self._elector is None or self._elector.leads()

    async def _elected(self) -> bool:
        """Wait for our turn; False: told to stop before."""
        if self._elector is not None and not await self._elector.acquire(self._stop):
            return False
        self.metrics.leads.set(1)
        self._working = True
        return True

    async def _beat(self) -> None:
        """Say that the event loop and the workers are well."""
        while True:
            if self._queue.healthy():
                self.metrics.heartbeat.set_to_current_time()
            await asyncio.sleep(_BEAT_SECONDS)

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self._stop.set)

    async def _keep_signals(self, started: asyncio.Event) -> None:
        """Kopf takes the signals over, and would stop before our workers have finished."""
        await started.wait()
        self._take_signals()

    async def _first_lists(self) -> bool:
        """Wait until every child that exists is known: else each would look absent. False: told to stop before."""
        informers = (informer.listed.wait() for informer in self._informers)
        listed = asyncio.gather(self._optional.known.wait(), *informers)
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((listed, stopped), return_when=asyncio.FIRST_COMPLETED)
        listed.cancel()
        stopped.cancel()
        return not self._stop.is_set()

    async def _watch_resources(self, started: asyncio.Event) -> None:
        try:
            await kopf.operator(
                registry=build_registry(self._configuration, self._sources.store, self._queue.asked),
                settings=build_settings(namespaced=bool(self._namespaces)),
                namespaces=self._namespaces,
                clusterwide=not self._namespaces,
                ready_flag=started,
            )
        finally:
            self._stop.set()  # without it we would see no changes: better to be started anew

    def _look_at_all(self) -> None:
        for instance in self._sources.store.instances():
            self._queue.changed(instance)

    async def _reconcile(self, ref: Ref) -> float:
        try:
            outcome = await reconcile(self._sources, ref)
        except Terminating:
            return FORGET
        if outcome.gone:
            return FORGET
        if outcome.writes:
            log.info("reconciled", writes=outcome.writes)
        resync = self._settings.resync_seconds * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        return resync if outcome.again_in is None else min(resync, outcome.again_in)

    def _listed(self) -> bool:
        """Ready is also who waits for its turn."""
        if not self._working:
            return True
        return self._optional.known.is_set() and all(informer.listed.is_set() for informer in self._informers)


def _elector(settings: OperatorSettings, cluster: Cluster) -> Elector | None:
    """The Lease is held by a client of its own, whose writes nobody has to allow."""
    if not settings.leader_election:
        return None
    me = settings.pod_name or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    return Elector(cluster, Ref(settings.pod_namespace, LEASE_NAME), me)


async def run_operator(settings: OperatorSettings, namespaces: Sequence[str]) -> None:
    """Sign in and run until told to stop; an API server that cannot be reached is tried again."""
    in_cluster = bool(settings.kubernetes_service_host)
    configuration = await load_configuration(settings.kubeconfig, in_cluster=in_cluster)
    try:
        await Operator(settings, configuration, namespaces).run()
    except* LostLeadership as lost:
        log.error("leadership.lost", error=str(lost.exceptions[0]), help="another operator works now")  # noqa: TRY400 - no trace is needed
        raise SystemExit(1) from None
