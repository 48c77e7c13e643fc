"""Budgets hold across replicas, to one turn, and cost nothing where nothing costs."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.app.conftest import Servers

from genai_app import budget as budgets
from genai_app import db
from genai_app.budget import Budget, Limits, Reservation, next_period, seconds_left
from genai_app.errors import BudgetSpent, TooMany
from genai_app.health.measuring import measure
from genai_app.llm.prices import turn_bound
from genai_app.metrics import Metrics
from genai_app.settings import Settings
from genai_contract.config import OnLimit

pytestmark = pytest.mark.service

WHO = UUID("00000000-0000-0000-0000-000000000001")
CENT = Decimal("0.01")


@pytest.fixture
async def pools(servers: Servers, database: str) -> AsyncIterator[tuple[asyncpg.Pool, asyncpg.Pool]]:
    """The pools of two replicas on one database."""
    settings = servers.settings(database)
    async with db.open_pool(settings) as one, db.open_pool(settings) as other:
        yield one, other


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


def limits(on_limit: OnLimit = OnLimit.BLOCK, **changes: Decimal | None) -> Limits:
    """Ten cents an hour, and whatever a test changes."""
    values: dict[str, Any] = {"hour": 10 * CENT, "month": None, "user_hour": None, "hour_warning": Decimal(1)}
    return Limits(**(values | changes), on_limit=on_limit)


def budget(pool: asyncpg.Pool, metrics: Metrics, limit: Limits, turn: Decimal = CENT) -> Budget:
    """A budget in which every turn costs at most `turn`."""
    return Budget(pool, metrics, limit, lambda _: turn)


async def spent(pool: asyncpg.Pool) -> dict[str, Decimal]:
    """USD by period, of everybody."""
    rows = await pool.fetch("SELECT period, usd FROM llm_spend WHERE user_id IS NULL")
    return {row["period"]: row["usd"] for row in rows}


async def test_fifty_turns_at_once_on_two_replicas_pass_the_limit_by_none(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    replicas = [budget(pool, metrics, limits()) for pool in pools]
    results = await asyncio.gather(
        *(replicas[number % 2].reserve(uuid4(), 100) for number in range(50)), return_exceptions=True
    )
    admitted = [result for result in results if isinstance(result, Reservation)]
    assert len(admitted) == 10
    assert sum(isinstance(result, BudgetSpent) for result in results) == 40
    await asyncio.gather(*(replicas[0].settle(reservation, CENT) for reservation in admitted))
    assert await spent(pools[1]) == {"hour": 10 * CENT, "month": 10 * CENT}


async def test_turns_that_cost_less_leave_room_for_others(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    asked = budget(pools[0], metrics, limits())
    for _ in range(30):
        await asked.settle(await asked.reserve(WHO, 100), CENT / 10)
    assert (await spent(pools[0]))["hour"] == 3 * CENT


async def test_the_limit_is_passed_by_one_turn_at_most(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    replicas = [budget(pool, metrics, limits(), turn=3 * CENT) for pool in pools]

    async def turn(number: int) -> None:
        reservation = await replicas[number % 2].reserve(uuid4(), 100)
        await replicas[number % 2].settle(reservation, 3 * CENT)

    await asyncio.gather(*(turn(number) for number in range(50)), return_exceptions=True)
    assert (await spent(pools[0]))["hour"] == 12 * CENT


async def test_a_reservation_of_a_process_that_died_expires(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "EXPIRES_SECONDS", 0)
    asked = budget(pools[0], metrics, limits(), turn=10 * CENT)
    assert (await asked.reserve(WHO, 100)).id != (await asked.reserve(WHO, 100)).id


async def test_a_turn_that_broke_off_counts_as_all_that_it_had_reserved(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    asked = budget(pools[0], metrics, limits())
    await asked.settle(await asked.reserve(WHO, 100), None)
    assert (await spent(pools[0]))["hour"] == CENT


@pytest.mark.parametrize(
    ("on_limit", "models"),
    [(OnLimit.ALERT_ONLY, "any"), (OnLimit.FALLBACK_MODEL, "free"), (OnLimit.CACHE_ONLY, "offline")],
)
async def test_a_spent_budget_leaves_the_models_of_its_policy(
    on_limit: OnLimit, models: str, pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    asked = budget(pools[0], metrics, limits(on_limit, hour=CENT))
    assert (await asked.reserve(WHO, 100)).models == "any"
    assert (await asked.reserve(WHO, 100)).models == models
    counted = f'llm_budget_exhausted_total{{period="hour",policy="{on_limit.value}"}} 1.0'
    assert counted in metrics.render().decode()


async def test_block_says_when_to_come_back(pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics) -> None:
    asked = budget(pools[0], metrics, limits(hour=Decimal(0)))
    with pytest.raises(BudgetSpent) as refused:
        await asked.reserve(WHO, 100)
    assert 1 <= refused.value.retry_after <= 3600


async def test_the_month_has_a_limit_of_its_own(pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics) -> None:
    asked = budget(pools[0], metrics, limits(month=CENT))
    await asked.settle(await asked.reserve(WHO, 100), CENT)
    with pytest.raises(BudgetSpent):
        await asked.reserve(WHO, 100)
    assert 'llm_budget_exhausted_total{period="month",policy="Block"} 1.0' in metrics.render().decode()


async def test_one_user_cannot_spend_what_is_there_for_all(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    asked = budget(pools[0], metrics, limits(user_hour=2 * CENT))
    await asked.settle(await asked.reserve(WHO, 100), CENT)
    await asked.reserve(WHO, 100)
    with pytest.raises(TooMany):
        await asked.reserve(WHO, 100)
    assert (await asked.reserve(uuid4(), 100)).models == "any"


async def test_another_hours_spending_does_not_count(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics
) -> None:
    await pools[0].execute(
        "INSERT INTO llm_spend (period, begins, user_id, usd) "
        "SELECT 'hour', date_trunc('hour', now(), 'UTC') - interval '1 hour', who, 99 FROM unnest($1::uuid[]) who",
        [None, WHO],
    )
    asked = budget(pools[0], metrics, limits(user_hour=CENT))
    await asked.settle(await asked.reserve(WHO, 100), CENT)
    of_users = await pools[0].fetch("SELECT usd FROM llm_spend WHERE user_id IS NOT NULL")
    assert [row["usd"] for row in of_users] == [CENT]


@pytest.mark.parametrize(
    "variables",
    [{}, {"OPENROUTER_API_KEY": "key"}, {"OPENROUTER_API_KEY": "key", "LLM_FALLBACK_MODELS": "a/b:free, c/d:free"}],
)
async def test_without_a_paid_model_no_statement_is_sent(
    variables: dict[str, str], servers: Servers, metrics: Metrics
) -> None:
    nowhere = servers.settings("nowhere", POSTGRES_HOST="/nowhere")
    settings = Settings.from_environment(variables)
    async with db.open_pool(nowhere) as pool:
        asked = Budget(pool, metrics, Limits.from_settings(settings), turn_bound(settings))
        await asked.settle(await asked.reserve(WHO, 100), Decimal(0))
    assert "request_cost_dollars_count 1.0" in metrics.render().decode()


async def test_a_bill_that_cannot_be_written_fails_no_turn(servers: Servers, metrics: Metrics) -> None:
    async with db.open_pool(servers.settings("nowhere", POSTGRES_HOST="/nowhere")) as pool:
        await budget(pool, metrics, limits()).settle(Reservation(WHO, "any", CENT, uuid4()), CENT)
    assert 'dependency_down_total{dependency="postgres",policy="cost-not-counted"} 1.0' in metrics.render().decode()


async def test_spending_and_limits_can_be_watched_and_a_warning_is_given_once(
    pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    asked = budget(pools[0], metrics, limits(month=Decimal(5), hour_warning=CENT))
    await asked.settle(await asked.reserve(WHO, 100), 2 * CENT)
    for _ in range(2):
        await asked.reserve(WHO, 100)
    rendered = metrics.render().decode()
    for sample in (
        'llm_budget_spent_dollars{period="hour"} 0.02',
        'llm_budget_spent_dollars{period="month"} 0.02',
        'llm_budget_limit_dollars{period="hour"} 0.1',
        'llm_budget_limit_dollars{period="month"} 5.0',
        "llm_budget_warning_dollars 0.01",
    ):
        assert sample in rendered
    assert [line["spent_dollars"] for line in logged() if line["event"] == "budget_warning"] == ["0.020000"]
    asked.close()


async def test_another_replica_shows_what_was_spent(pools: tuple[asyncpg.Pool, asyncpg.Pool], metrics: Metrics) -> None:
    busy, other = budget(pools[0], metrics, limits()), Metrics("2")
    await busy.settle(await busy.reserve(WHO, 10), CENT)
    idle = budget(pools[1], other, limits())
    await measure(pools[1], idle, other)
    text = other.render().decode()
    assert 'llm_budget_spent_dollars{period="hour"} 0.01' in text
    assert 'llm_budget_spent_dollars{period="month"} 0.01' in text
    (size,) = re.findall(r"^database_size_bytes (\S+)", text, re.MULTILINE)
    assert float(size) > 1_000_000
    for each in (busy, idle):
        each.close()


async def test_a_database_that_is_away_leaves_the_gauges_and_is_counted(servers: Servers, metrics: Metrics) -> None:
    async with db.open_pool(servers.settings("nowhere", POSTGRES_HOST="/nowhere")) as pool:
        await measure(pool, budget(pool, metrics, limits()), metrics)
    assert 'dependency_down_total{dependency="postgres",policy="gauges-stay"} 1.0' in metrics.render().decode()


async def test_before_there_is_a_schema_nothing_is_measured_and_nothing_ends(
    servers: Servers, empty_database: str, metrics: Metrics
) -> None:
    async with db.open_pool(servers.settings(empty_database)) as pool:
        await measure(pool, budget(pool, metrics, limits()), metrics)
    assert "llm_budget_spent_dollars{" not in metrics.render().decode()


def test_limits_come_from_the_environment() -> None:
    settings = Settings.from_environment(
        {
            "LLM_BUDGET_HOURLY_WARN_USD": "1.5",
            "LLM_BUDGET_HOURLY_LIMIT_USD": "2",
            "LLM_BUDGET_MONTHLY_LIMIT_USD": "300",
            "LLM_BUDGET_USER_HOURLY_LIMIT_USD": "0.25",
            "LLM_BUDGET_ON_LIMIT": "CacheOnly",
        }
    )
    assert Limits.from_settings(settings) == Limits(
        hour=Decimal(2),
        month=Decimal(300),
        user_hour=Decimal("0.25"),
        hour_warning=Decimal("1.5"),
        on_limit=OnLimit.CACHE_ONLY,
    )


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)), st.sampled_from(["hour", "month", "user"]))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_period_ends_after_now_and_the_next_begins_there(now: datetime, period: str) -> None:
    end = next_period(period, now)
    assert end > now
    assert next_period(period, end) > end
    assert (end.minute, end.second, end.microsecond) == (0, 0, 0)
    assert 1 <= seconds_left(period, now) <= 31 * 86400


@pytest.mark.parametrize(
    ("now", "end"),
    [((2026, 12, 31, 23, 59), (2027, 1, 1, 0, 0)), ((2028, 2, 1, 0, 0), (2028, 3, 1, 0, 0))],
)
def test_months_are_those_of_the_calendar(now: tuple[int, ...], end: tuple[int, ...]) -> None:
    assert next_period("month", datetime(*now, tzinfo=UTC)) == datetime(*end, tzinfo=UTC)  # type: ignore[misc,arg-type]  # five numbers
