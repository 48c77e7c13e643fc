"""One answer for a message that is sent several times: whoever holds it answers, the others wait for that answer.

The right to answer is a row in PostgreSQL that expires, so it works across replicas and survives any of them. It is
needed only for messages that carry a `client_message_id`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg

from genai_app import db
from genai_app.chat import turn_repository
from genai_app.chat.finishing import to_its_end
from genai_app.errors import Conflict, DatabaseDown

LEASE_SECONDS = 30.0
"""After a replica's death a message can be answered again no later than this."""
LONGEST_WAIT_SECONDS = 120.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0


@dataclass
class Hold:
    """The right to answer one message; `over` once the answer is stored, which ends it in the same transaction."""

    holder: UUID = field(default_factory=uuid4)
    over: bool = False


class Holding:
    """One per process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def held(self, user_id: UUID, session_id: str, client_message_id: str) -> AsyncIterator[Hold]:
        """Hold a message for the block, once no other turn does.

        Raises Conflict when another turn takes longer than LONGEST_WAIT_SECONDS, DatabaseDown.
        """
        hold = Hold()

        async def take() -> bool:
            async with db.connection(self._pool) as connection:
                return await turn_repository.hold_message(
                    connection, user_id, session_id, client_message_id, hold.holder, LEASE_SECONDS
                )

        await _until(take)
        prolonging = asyncio.create_task(_prolong(take))
        try:
            yield hold
        finally:
            prolonging.cancel()
            await asyncio.gather(prolonging, return_exceptions=True)
            if not hold.over:
                await to_its_end(self._release(hold))

    async def _release(self, hold: Hold) -> None:
        with suppress(DatabaseDown):  # it expires by itself
            async with db.connection(self._pool) as connection:
                await turn_repository.release_message(connection, hold.holder)


async def _until(take: Callable[[], Awaitable[bool]]) -> None:
    pause = FIRST_PAUSE_SECONDS
    try:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while not await take():
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    except TimeoutError:
        raise Conflict("This message is still being answered: send it again later to get its answer.") from None


async def _prolong(take: Callable[[], Awaitable[bool]]) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        with suppress(DatabaseDown):
            await take()
