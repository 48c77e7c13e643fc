"""The open WebSocket connections of this process: counted, and drained when it ends."""

import asyncio
from typing import Protocol

from genai_app.metrics import Metrics
from genai_contract.metrics import WEBSOCKETS


class Drainable(Protocol):
    """A connection, as far as its end is concerned."""

    async def drain(self) -> None:
        """Finish the running turn, then close; gives back when it is closed."""


class Connections:
    """One per process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._open: set[Drainable] = set()
        self.draining = False

    def add(self, connection: Drainable) -> None:
        """A connection is open."""
        self._open.add(connection)
        self._metrics.set(WEBSOCKETS, len(self._open))

    def remove(self, connection: Drainable) -> None:
        """It is closed."""
        self._open.discard(connection)
        self._metrics.set(WEBSOCKETS, len(self._open))

    async def drain(self, seconds: float) -> None:
        """Let running turns finish, for at most `seconds`, and close every connection with 1012.

        Clients then connect to another replica, and send a message that has no answer yet again.
        """
        self.draining = True
        if self._open:
            await asyncio.wait([asyncio.create_task(connection.drain()) for connection in self._open], timeout=seconds)
