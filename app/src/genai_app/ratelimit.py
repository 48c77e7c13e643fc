"""The rate limit: a token bucket (GCRA) in Redis, decided there by one script; pure values on this side."""

import math
from dataclasses import dataclass
from typing import Final

from genai_app.errors import TooMany


@dataclass(frozen=True)
class Limit:
    """`rate` requests a second in the long run, `burst` of them at once; `scope` names it in keys and metrics."""

    scope: str
    rate: float
    burst: int


PER_USER: Final = Limit("user", rate=30, burst=50)
PER_ADDRESS: Final = Limit("auth", rate=5, burst=10)
"""For the routes that come before a token: register, login, refresh."""


@dataclass(frozen=True)
class Decision:
    """What the bucket says: `remaining` requests at once, `retry_after` and `reset` in seconds."""

    limit: Limit
    allowed: bool
    remaining: int
    retry_after: float
    reset: float

    def headers(self) -> dict[str, str]:
        """What a client needs to pace itself."""
        return {
            "X-RateLimit-Limit": str(self.limit.burst),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.reset)),
        }

    def enforce(self) -> None:
        """Raise TooMany when the bucket is empty."""
        if self.allowed:
            return
        wait = max(1, math.ceil(self.retry_after))
        raise TooMany(
            f"The limit is {self.limit.rate:g} requests a second with a burst of {self.limit.burst}: "
            f"try again in {wait} s.",
            retry_after=wait,
            headers=self.headers(),
        )


SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local full = burst * interval
local allowed = due + interval - now <= full
if allowed then
  due = due + interval
  redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
end
local answer = false
if allowed and KEYS[2] then answer = redis.call('GET', KEYS[2]) end
local wait = 0
if not allowed then wait = due + interval - now - full end
return {allowed and 1 or 0, math.floor((full - (due - now)) / interval), wait, due - now, answer}
"""
"""KEYS: the bucket and, optionally, a cached answer to fetch on the same trip. ARGV: microseconds between two requests
in the long run, burst. Gives {allowed, remaining, microseconds to wait, microseconds until full, cached answer}.
The clock is Redis': replicas may disagree about the time."""


def script_arguments(limit: Limit) -> tuple[int, int]:
    """ARGV of the script."""
    return round(1_000_000 / limit.rate), limit.burst


def decision(limit: Limit, reply: list[int]) -> Decision:
    """Read the script's numbers."""
    allowed, remaining, wait, reset = reply
    return Decision(limit, bool(allowed), max(0, int(remaining)), wait / 1_000_000, reset / 1_000_000)
