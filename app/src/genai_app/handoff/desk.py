"""Who takes handoffs: the protocol of a desk, and the local one, which is our own table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog

from genai_app.handoff.ticket import EXPECTED_WAIT_MINUTES, Status

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Letter:
    """One handoff on its way. `id` is the same at every attempt; `payload` is the body (`payload.py`)."""

    id: UUID
    ticket: str
    reason: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Receipt:
    """What the desk said: its own ticket, the person who has it, and how long it takes, as far as it says so."""

    status: Status = "queued"
    estimated_wait_minutes: int | None = None
    ticket: str | None = None
    agent: str | None = None


class NotDelivered(Exception):
    """The desk has not got it. `wait`: seconds that it asks to be left alone.

    `kind` is the metric's outcome: timeout, connection, rate_limited, server_error, refused, redirected.
    """

    def __init__(self, kind: str, *, wait: float | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.wait = wait


class HandoffDesk(Protocol):
    """Where people work on tickets. `name` labels metrics; `keeps_payload`: whether people read it in our table."""

    name: str
    keeps_payload: bool

    async def deliver(self, letter: Letter) -> Receipt:
        """Hand it over; a repeat of the same `id` must be harmless. Raises NotDelivered."""


class LocalDesk:
    """The desk of an installation without HUMAN_SUPPORT_WEBHOOK: tickets wait in the table `handoffs`."""

    name = "local"
    keeps_payload = True

    async def deliver(self, letter: Letter) -> Receipt:
        """Say in the log that somebody waits."""
        log.warning("handoff_waits_for_a_person", ticket=letter.ticket, reason=letter.reason)
        return Receipt(estimated_wait_minutes=EXPECTED_WAIT_MINUTES)
