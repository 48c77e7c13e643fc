"""The rate limit: a token bucket (GCRA) in Redis, decided there by one script; pure values on this side."""

import math
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from genai_app.errors import TooMany
from genai_app.settings import Settings


@dataclass(frozen=True)
class Limit:
    """`rate` requests a second in the long run, `burst` of them at once; `scope` names it in keys and metrics."""

    scope: str
    rate: float
    burst: int


PER_USER: Final = Limit("user", rate=30, burst=50)
PER_ADDRESS: Final = Limit("auth", rate=5, burst=10)
"""For the routes that come before a token (register, login, refresh) and for those that ask for the password again."""


def limits_in_force(settings: Settings) -> tuple[Limit, ...]:
    """Both limits as the settings have them."""
    return (
        Limit(PER_USER.scope, settings.rate_limit_per_second, settings.rate_limit_burst),
        Limit(PER_ADDRESS.scope, settings.rate_limit_auth_per_second, settings.rate_limit_auth_burst),
    )


def address_subject(host: str) -> str:
    """Whom a request without a token counts for: its address, or its network where one person has 2^64 addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    return str(ip_network((address, 64), strict=False))


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
local wait = 0
if not allowed then wait = due + interval - now - full end
local remaining, reset = math.floor((full - (due - now)) / interval), due - now
"""
"""Part of a script: KEYS[1] is the bucket, ARGV microseconds between two requests in the long run, and the burst.
Leaves `allowed`, `remaining`, `wait` (microseconds until the next may come) and `reset` (until the bucket is full).
The clock is Redis': replicas may disagree about the time."""


def script_arguments(limit: Limit) -> tuple[int, int]:
    """ARGV of the script."""
    return round(1_000_000 / limit.rate), limit.burst


def decision(limit: Limit, reply: list[int]) -> Decision:
    """Read the script's numbers."""
    allowed, remaining, wait, reset = reply
    return Decision(limit, bool(allowed), max(0, int(remaining)), wait / 1_000_000, reset / 1_000_000)
