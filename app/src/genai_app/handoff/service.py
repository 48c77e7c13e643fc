"""Handoffs of one process: a turn opens a ticket in the statement that stores it, and says when that is done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import httpx2

from genai_app.handoff.delivery import Deliverer, delivering
from genai_app.handoff.desk import HandoffDesk, LocalDesk
from genai_app.handoff.payload import Mask, payload
from genai_app.handoff.phrases import tables
from genai_app.handoff.repository import Opening
from genai_app.handoff.ticket import Handoff, new_ticket
from genai_app.handoff.webhook import WebhookDesk
from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_app.privacy import mask
from genai_app.settings import Settings
from genai_contract.metrics import HANDOFF_CONFIDENCE, HUMAN_HANDOFF

log = get_logger(__name__)


class Handoffs:
    """`opening` for the statement that stores the messages, `committed` right after it."""

    def __init__(self, deliverer: Deliverer, metrics: Metrics, *, dead_letter_hours: float, mask: Mask) -> None:
        self._deliverer = deliverer
        self._metrics = metrics
        self._dead_letter_hours = dead_letter_hours
        self._mask = mask

    def opening(self, handoff: Handoff) -> Opening:
        """What the turn's statement stores of it. The desk is told after the commit.

        A conversation that is handed over again for the same reason within an hour keeps its ticket.
        """
        ticket = new_ticket()
        body = payload(handoff, ticket, datetime.now(UTC), self._mask)
        return Opening(handoff, ticket, body, self._dead_letter_hours)

    def committed(self, handoff: Handoff) -> None:
        """Count it and send it: the messages are stored."""
        self._metrics.count(HUMAN_HANDOFF, reason=handoff.reason.value, agent=handoff.agent)
        if handoff.confidence is not None:
            self._metrics.observe(HANDOFF_CONFIDENCE, handoff.confidence)
        self._deliverer.wake()


@asynccontextmanager
async def open_handoffs(
    settings: Settings, pool: asyncpg.Pool, http: httpx2.AsyncClient, metrics: Metrics
) -> AsyncIterator[Handoffs]:
    """Handoffs with their deliverer, which runs within the block."""
    tables()  # a fifth of a second, which no customer waits for
    async with delivering(pool, build_desk(settings, http), metrics) as deliverer:
        yield Handoffs(
            deliverer,
            metrics,
            dead_letter_hours=settings.handoff_dead_letter_hours,
            mask=mask if settings.mask_pii else str,
        )


def build_desk(settings: Settings, http: httpx2.AsyncClient) -> HandoffDesk:
    """The desk that the settings name."""
    url = settings.human_support_webhook.get_secret_value()
    if not url:
        return LocalDesk()
    secret = settings.human_support_webhook_secret.get_secret_value()
    if not secret:
        log.warning("handoffs_are_not_signed", mend="set HUMAN_SUPPORT_WEBHOOK_SECRET here and at the desk")
    return WebhookDesk(http, url, secret)
