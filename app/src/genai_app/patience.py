"""How long the server waits for a client that does not read: its connection is cut, and with it ends what it costs.

uvicorn stops sending when a client's buffer is full, but waits for ever.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

READING_SECONDS: Final = 20.0
"""For a client whose buffer is full (64 KiB beyond what the network holds) to read most of it."""


class Patience:
    """Of one connection: runs out `READING_SECONDS` after its buffer has become full."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def begins(self, transport: asyncio.Transport) -> None:
        """The buffer is full."""
        self.ends()
        self._timer = asyncio.get_running_loop().call_later(READING_SECONDS, transport.abort)

    def ends(self) -> None:
        """The client has read, or is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Patient(asyncio.Protocol):
    """What both protocols do when the client does not read; stands before uvicorn's class among the bases."""

    transport: asyncio.Transport
    _patience: Patience | None = None

    def pause_writing(self) -> None:
        """The buffer is full."""
        super().pause_writing()
        self._patience = self._patience or Patience()
        self._patience.begins(self.transport)

    def resume_writing(self) -> None:
        """The client has read most of it."""
        super().resume_writing()
        if self._patience is not None:
            self._patience.ends()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._patience is not None:
            self._patience.ends()
        super().connection_lost(exc)


class PatientHTTP(Patient, HttpToolsProtocol):
    """HTTP, server-sent events among it."""


class PatientWebSocket(Patient, WebSocketsSansIOProtocol):
    """WebSocket."""
