"""Password hashes: Argon2id at OWASP's minimum, in threads, a bounded number at once."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pwdlib.hashers.argon2 import Argon2Hasher

from genai_app.errors import Overloaded

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
AT_ONCE: Final = max(1, min(4, (os.cpu_count() or 1) - 1))
"""Hashes computed at the same time, 19 MiB each. A container sees all cores of its node: hence the bound."""
WAITING_AT_MOST: Final = 200
"""Log-ins in the queue; a hash takes about 50 ms of one core, so the last of them waits for some seconds."""

_NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$o6S8mHfYmgS16yHn6IZ5jw$BzYOGhQIL+RNTlJEa2ox8ci1/eqStuyk2WXYLGp/rGE"
"""A hash of no password, with our parameters: checking it takes as long as checking a real one."""


class Passwords:
    """Hashes and checks passwords without holding up the event loop; one per process, for its queue is the bound.

    Raises Overloaded when the queue is full.
    """

    def __init__(self, waiting_at_most: int = WAITING_AT_MOST) -> None:
        self._waiting_at_most = waiting_at_most
        self._hasher = Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._threads = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """The hash to store."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether `password` belongs to `stored`; takes equally long when there is no such account (None)."""
        async with self._turn():
            matching = await asyncio.to_thread(self._hasher.verify, password, stored or _NOBODY)
        return matching and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's, as by the system that was there before."""
        return self._hasher.check_needs_rehash(stored)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= self._waiting_at_most:
            raise Overloaded("log-ins")
        self._waiting += 1
        try:
            async with self._threads:
                yield
        finally:
            self._waiting -= 1
