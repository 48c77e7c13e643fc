"""The one trip to Redis that a request makes: does its login stand, may it proceed, is its answer known already?"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from genai_app import ratelimit
from genai_app.breaker import Breaker
from genai_app.errors import NotAuthenticated
from genai_app.metrics import Metrics
from genai_app.ratelimit import Decision, Limit
from genai_contract.metrics import CACHE_LATENCY, CACHE_OPERATIONS, RATE_LIMITED

ENDED_LOGIN: Final = "This login has ended: log in again."

SCRIPT: Final = f"""
if KEYS[2] ~= '' and redis.call('EXISTS', KEYS[2]) == 1 then return {{-1}} end
{ratelimit.SCRIPT}
local kept = false
if allowed and KEYS[3] ~= '' then kept = redis.call('GET', KEYS[3]) end
return {{allowed and 1 or 0, remaining, wait, reset, kept}}
"""
"""KEYS: the bucket, the mark of an ended login, a kept answer; the last two may be empty. ARGV: those of the bucket.
Gives {-1} for an ended login, else the bucket's numbers and the kept answer: what is refused costs nothing more."""


def ended_key(session: UUID) -> str:
    """Where the mark of an ended login is."""
    return f"genai:ended:{session}"


@dataclass(frozen=True)
class Admission:
    """A request that may proceed. `decision` is None when nobody counted it; `cached` is a kept answer, if any."""

    decision: Decision | None = None
    cached: bytes | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The rate limit's headers, or none."""
        return self.decision.headers() if self.decision else {}


class Gate:
    """Admits requests. Without Redis, or while it is away, everybody is admitted and nothing is cached (fail open).

    Whether a login stands is PostgreSQL's to say, and every request asks there before it gets anything; the mark in
    Redis refuses what has just ended on the way. `in_force` are the limits of the settings, by their scope.
    """

    def __init__(
        self,
        redis: Redis | None,
        breaker: Breaker | None,
        metrics: Metrics,
        *,
        limits: bool,
        in_force: Iterable[Limit] = (),
    ) -> None:
        self._redis = redis
        self._breaker = breaker
        self._metrics = metrics
        self._limits = limits
        self._in_force = {limit.scope: limit for limit in in_force}
        self._digest: str | None = None

    async def admit(
        self, limit: Limit, subject: str, *, session: UUID | None = None, cache_key: str | None = None
    ) -> Admission:
        """Count a request of `subject` in login `session` and fetch what is kept under `cache_key`.

        Raises TooMany, and NotAuthenticated when the login has ended.
        """
        if self._redis is None or self._breaker is None or not (self._limits or session or cache_key):
            return Admission()
        limit = self._in_force.get(limit.scope, limit)
        started = time.perf_counter()
        unknown: Admission | None = Admission()
        admission = await self._breaker.attempt(
            "fail-open", lambda: self._ask(limit, subject, session, cache_key), unknown
        )
        if admission is None:
            raise NotAuthenticated(ENDED_LOGIN)
        if admission.decision and not admission.decision.allowed:
            self._metrics.count(RATE_LIMITED, scope=limit.scope)
            admission.decision.enforce()
        if cache_key:
            self._count_look_up(admission, started)
        return admission

    async def _ask(self, limit: Limit, subject: str, session: UUID | None, cache_key: str | None) -> Admission | None:
        """None: the login has ended."""
        redis = cast("Redis", self._redis)
        mark = ended_key(session) if session else ""
        if not self._limits:
            ended, cached = cast("list[bytes | None]", await redis.mget(mark, cache_key or ""))
            return Admission(cached=cached if cache_key else None) if ended is None else None
        keys = [f"genai:limit:{limit.scope}:{subject}", mark, cache_key or ""]
        reply = await self._run(redis, keys, ratelimit.script_arguments(limit))
        if reply == [-1]:
            return None
        *numbers, cached = reply
        return Admission(ratelimit.decision(limit, numbers), cached)

    async def _run(self, redis: Redis, keys: list[str], arguments: tuple[int, int]) -> list[Any]:
        """By digest; the source travels only when Redis has forgotten it (a restart, a flush)."""
        if self._digest is None:
            self._digest = await redis.script_load(SCRIPT)
        try:
            return cast("list[Any]", await redis.evalsha(self._digest, len(keys), *keys, *arguments))
        except NoScriptError:
            return cast("list[Any]", await redis.eval(SCRIPT, len(keys), *keys, *arguments))

    def _count_look_up(self, admission: Admission, started: float) -> None:
        operation = "miss" if admission.cached is None else "hit"
        self._metrics.count(CACHE_OPERATIONS, operation=operation, cache_type="response")
        elapsed = (time.perf_counter() - started) * 1000
        self._metrics.observe(CACHE_LATENCY, elapsed, operation=operation, cache_type="response")
