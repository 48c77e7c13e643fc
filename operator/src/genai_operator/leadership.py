"""Which of several operators works: the holder of a Lease. Who loses it stops at once, and writes nothing before that.

A candidate never compares clocks: it watches whether the Lease changes, by its own clock, as client-go does. The holder
stops writing before anybody may take over: RENEW_DEADLINE_SECONDS is shorter than DURATION_SECONDS.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

import structlog

from genai_operator.cluster import Cluster
from genai_operator.errors import Conflict, NotFound, OperatorError, Unavailable
from genai_operator.kinds import LEASE
from genai_operator.manifests import Manifest, Ref, dig

DURATION_SECONDS: Final = 12
"""After that long without a change the Lease is free for everybody."""
RENEW_DEADLINE_SECONDS: Final = 8.0
"""The holder writes nothing when its last renewal is older."""
RETRY_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


class Step(Enum):
    """What to do about the Lease now."""

    CREATE = auto()
    TAKE = auto()
    RENEW = auto()
    WAIT = auto()


@dataclass(frozen=True)
class Sighting:
    """A state of the Lease, and when this process saw it first, in seconds of its own clock."""

    version: str
    since: float


def next_step(lease: Manifest | None, sighting: Sighting, me: str, now: float) -> Step:
    """Decide from what is there and how long it has been so."""
    if lease is None:
        return Step.CREATE
    holder = dig(lease, "spec", "holderIdentity", default="") or ""
    if holder == me:
        return Step.RENEW
    lasts = dig(lease, "spec", "leaseDurationSeconds", default=DURATION_SECONDS)
    return Step.TAKE if holder == "" or now - sighting.since >= lasts else Step.WAIT


class Elector:
    """Holds a Lease for this process. `clock` gives seconds that never go back."""

    def __init__(self, cluster: Cluster, ref: Ref, me: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._ref = ref
        self._me = me
        self._clock = clock
        self._sighting = Sighting("", clock())
        self._lease: Manifest | None = None
        self._renewed = float("-inf")

    def leads(self) -> bool:
        """Whether this process may write now."""
        return self._clock() - self._renewed < RENEW_DEADLINE_SECONDS

    async def acquire(self, stop: asyncio.Event) -> bool:
        """Wait until the Lease is ours; False when told to stop before."""
        log.info("leadership.waiting", lease=str(self._ref), identity=self._me)
        while not stop.is_set():
            if await self._try():
                log.info("leadership.acquired", identity=self._me)
                return True
            await _pause(stop)
        return False

    async def keep(self) -> None:
        """Renew until cancelled. Raises LostLeadership when the Lease is another's or could not be renewed in time."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            await self._try()
            if not self.leads():
                raise LostLeadership(f"{self._me} does not hold {self._ref} any more")

    async def release(self) -> None:
        """Let another take over without waiting."""
        if self._lease is None or not self.leads():
            return
        self._renewed = float("-inf")
        try:
            await self._cluster.replace(LEASE, self._with(self._lease, holder=""))
        except OperatorError as error:
            log.warning("leadership.release_failed", error=str(error))

    async def close(self) -> None:
        """Close the client that renews the Lease."""
        await self._cluster.close()

    async def _try(self) -> bool:
        """One look, and one write where it is due. Whoever comes second in a race has a conflict, and waits."""
        asked = self._clock()
        try:
            lease = await self._cluster.get(LEASE, self._ref)
            self._see(lease)
            step = next_step(lease, self._sighting, self._me, self._clock())
            if step is Step.WAIT:
                self._renewed = float("-inf")
                return False
            if step is Step.CREATE or lease is None:
                self._lease = await self._cluster.create(self._with({}, holder=self._me), LEASE)
            else:
                self._lease = await self._cluster.replace(LEASE, self._with(lease, holder=self._me))
        except (Conflict, NotFound, Unavailable) as error:
            log.warning("leadership.retry", error=str(error))
            return False
        self._renewed = asked  # before the request: what it took counts against us
        return True

    def _see(self, lease: Manifest | None) -> None:
        version = "" if lease is None else str(lease["metadata"]["resourceVersion"])
        if version != self._sighting.version:
            self._sighting = Sighting(version, self._clock())

    def _with(self, lease: Manifest, *, holder: str) -> Manifest:
        """The Lease with a holder; its resource version makes the write fail when somebody was quicker."""
        before = lease.get("spec", {})
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        changes = holder != before.get("holderIdentity", "")
        version = dig(lease, "metadata", "resourceVersion")
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.name,
            "metadata": {
                "name": self._ref.name,
                "namespace": self._ref.namespace,
                **({"resourceVersion": version} if version else {}),
            },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": DURATION_SECONDS,
                "acquireTime": now if changes else before.get("acquireTime", now),
                "renewTime": now,
                "leaseTransitions": before.get("leaseTransitions", 0) + (changes and holder != ""),
            },
        }


class LostLeadership(Exception):
    """Another operator may work now: this process must end."""


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(RETRY_SECONDS):
            await stop.wait()
    except TimeoutError:
        return
