"""What models may cost: checked before a turn asks one, and exact to one turn across all replicas.

A turn reserves the most that it can cost, and settles what it did cost. A turn that begins is one for which spent and
reserved together are still below the limit, so that the limit is passed by at most one turn. Hours and months are those
of the calendar, in UTC. Without a paid model nothing is counted and no statement is sent.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, Self
from uuid import UUID

import asyncpg

from genai_app import db
from genai_app.errors import BudgetSpent, DatabaseDown, TooMany
from genai_app.logs import get_logger
from genai_app.metrics import Metrics
from genai_app.settings import Settings
from genai_contract.config import OnLimit
from genai_contract.metrics import (
    BUDGET_EXHAUSTED,
    BUDGET_LIMIT,
    BUDGET_SPENT,
    BUDGET_WARNING,
    DEPENDENCY_DOWN,
    REQUEST_COST,
)

log = get_logger(__name__)

EXPIRES_SECONDS: Final = 600
"""Longer than any turn: what a process that died had reserved is free again after that."""

Period = Literal["hour", "month", "user"]
Models = Literal["any", "free", "offline"]

WITHOUT_MONEY: Final[dict[OnLimit, Models]] = {
    OnLimit.ALERT_ONLY: "any",
    OnLimit.FALLBACK_MODEL: "free",
    OnLimit.CACHE_ONLY: "offline",
}
"""Which models a turn may use when the budget is spent; with `Block` there is no turn."""


_SPENT: Final = """
SELECT coalesce(sum(usd) FILTER (WHERE period = 'hour' AND begins = date_trunc('hour', now(), 'UTC')), 0) AS hour_usd,
       coalesce(sum(usd) FILTER (WHERE period = 'month' AND begins = date_trunc('month', now(), 'UTC')), 0) AS month_usd
  FROM llm_spend
 WHERE user_id IS NULL
"""


@dataclass(frozen=True)
class Limits:
    """USD; None is no limit."""

    hour: Decimal
    month: Decimal | None
    user_hour: Decimal | None
    hour_warning: Decimal
    on_limit: OnLimit

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """LLM_BUDGET_*."""
        return cls(
            hour=settings.llm_budget_hourly_limit_usd,
            month=settings.llm_budget_monthly_limit_usd,
            user_hour=settings.llm_budget_user_hourly_limit_usd,
            hour_warning=settings.llm_budget_hourly_warn_usd,
            on_limit=settings.llm_budget_on_limit,
        )


@dataclass(frozen=True)
class Reservation:
    """What a turn may spend: `models` goes into its ChatRequests. `id` None: nothing is reserved."""

    user_id: UUID
    models: Models
    usd: Decimal = Decimal(0)
    id: UUID | None = None


@dataclass
class Spending:
    """What the agents of a turn may use, and what it cost in USD as soon as that is known."""

    models: Models
    usd: Decimal | None = None


class Budget:
    """One per process. `bound` gives the most USD that a turn over so many characters costs; None: nothing ever."""

    def __init__(
        self, pool: asyncpg.Pool, metrics: Metrics, limits: Limits, bound: Callable[[int], Decimal] | None
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._limits = limits
        self._bound = bound
        self._warned: datetime | None = None
        self._resets: dict[str, asyncio.TimerHandle] = {}
        metrics.set(BUDGET_LIMIT, float(limits.hour), period="hour")
        if limits.month is not None:
            metrics.set(BUDGET_LIMIT, float(limits.month), period="month")
        metrics.set(BUDGET_WARNING, float(limits.hour_warning))

    @asynccontextmanager
    async def spending(self, user_id: UUID, characters: int) -> AsyncIterator[Spending]:
        """Around a turn's model calls: reserves, and settles whatever becomes of them. Raises as `reserve`."""
        reservation = await self.reserve(user_id, characters)
        spending = Spending(reservation.models)
        try:
            yield spending
        finally:
            await self.settle(reservation, spending.usd)

    async def reserve(self, user_id: UUID, characters: int) -> Reservation:
        """Before the first model call of a turn whose message and history have `characters`; one statement.

        With `Block` raises BudgetSpent, or TooMany when it is the user's own limit. Raises DatabaseDown.
        Every reservation must be settled, whatever becomes of the turn.
        """
        if self._bound is None:
            return Reservation(user_id, "any")
        limits, most = self._limits, self._bound(characters)
        enforced = limits.on_limit is not OnLimit.ALERT_ONLY
        async with db.connection(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT * FROM llm_reserve($1, $2, $3, $4, $5, $6, $7)",
                user_id, most, limits.hour, limits.month, limits.user_hour, enforced, EXPIRES_SECONDS,
            )  # fmt: skip
        self._show(row["hour_usd"], row["month_usd"])
        spent_up: Period | None = row["spent_up"]
        if spent_up is None:
            return Reservation(user_id, "any", most, row["reservation"])
        self._metrics.count(BUDGET_EXHAUSTED, period=spent_up, policy=limits.on_limit.value)
        if limits.on_limit is OnLimit.BLOCK:
            wait = seconds_left(spent_up, datetime.now(UTC))
            if spent_up == "user":
                raise TooMany("You have asked as much as one person may in an hour.", retry_after=wait)
            raise BudgetSpent(retry_after=wait)
        return Reservation(user_id, WITHOUT_MONEY[limits.on_limit], most, row["reservation"])

    async def settle(self, reservation: Reservation, actual: Decimal | None) -> None:
        """Count what the turn cost; None: unknown, because it broke off, and then all that was reserved. One statement.

        Without the database the cost stays reserved until it expires: an answer is never lost over its bill.
        """
        usd = reservation.usd if actual is None else actual
        self._metrics.observe(REQUEST_COST, float(usd))
        if reservation.id is None and not usd:
            return
        try:
            async with db.connection(self._pool) as connection:
                await connection.execute("SELECT llm_settle($1, $2, $3)", reservation.id, reservation.user_id, usd)
        except DatabaseDown:
            self._metrics.count(DEPENDENCY_DOWN, dependency="postgres", policy="cost-not-counted")
            log.warning("cost_not_counted", dollars=str(usd))

    async def look(self) -> None:
        """Show what all replicas have spent; one statement, none without a paid model. Raises DatabaseDown."""
        if self._bound is None:
            return
        async with db.connection(self._pool) as connection:
            row = await connection.fetchrow(_SPENT)
        self._show(row["hour_usd"], row["month_usd"])

    def close(self) -> None:
        """Stop the timers of the gauges."""
        for reset in self._resets.values():
            reset.cancel()

    def _show(self, hour: Decimal, month: Decimal) -> None:
        """Gauges that go back to 0 when their period ends, also in a process that nobody asks anything."""
        now = datetime.now(UTC)
        for period, usd in (("hour", hour), ("month", month)):
            self._metrics.set(BUDGET_SPENT, float(usd), period=period)
            if period in self._resets:
                self._resets[period].cancel()
            self._resets[period] = asyncio.get_running_loop().call_later(
                (next_period(period, now) - now).total_seconds(), self._show_nothing_spent, period
            )
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        if hour >= self._limits.hour_warning and self._warned != this_hour:
            self._warned = this_hour
            log.warning("budget_warning", spent_dollars=str(hour), limit_dollars=str(self._limits.hour))

    def _show_nothing_spent(self, period: str) -> None:
        self._metrics.set(BUDGET_SPENT, 0, period=period)


def next_period(period: str, now: datetime) -> datetime:
    """When the hour (also a user's) or the month of `now` is over."""
    if period == "month":
        return (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def seconds_left(period: str, now: datetime) -> int:
    """Whole seconds until a spent budget is a new one."""
    return max(1, math.ceil((next_period(period, now) - now).total_seconds()))
