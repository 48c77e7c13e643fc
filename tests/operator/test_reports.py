"""What the API says of itself, and what becomes of it: conditions, the status, and the size of the volume."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.operator.test_status import NAMES, conditions, healthy, resource

from genai_operator.desired.volume import used_percent, wanted_size
from genai_operator.manifests import Manifest, Ref
from genai_operator.observed import Observed, Report
from genai_operator.reports import Reports, page, read, ready_pod
from genai_operator.status import assess
from genai_operator.store import Store

TEXT = """
# TYPE llm_reachable gauge
llm_reachable 0.0
# TYPE llm_budget_spent_dollars gauge
llm_budget_spent_dollars{period="hour"} 0.123456
llm_budget_spent_dollars{period="month"} 12.5
# TYPE llm_budget_limit_dollars gauge
llm_budget_limit_dollars{period="hour"} 50.0
# TYPE llm_budget_warning_dollars gauge
llm_budget_warning_dollars 10.0
# TYPE database_size_bytes gauge
database_size_bytes 1.2345678e+07
"""
ONLINE = {"apiKeySecretRef": {"name": "k"}, "budget": {"onLimit": "Block"}}
GIB = 2**30


def test_a_report_is_read_and_money_is_rounded_to_cents() -> None:
    assert read(TEXT) == Report(
        llm_reachable=False, spent_hour=Decimal("0.12"), spent_month=Decimal("12.50"), limit_hour=Decimal("50.00"),
        limit_month=None, warning=Decimal("10.00"), database_bytes=12_345_678,
    )  # fmt: skip
    assert read("") == Report()
    with pytest.raises(ValueError, match=r"<html>|metric|label"):
        read("<html>not metrics</html>")


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [(302, b"", "answered 302"), (500, b"", "answered 500"), (200, b"x" * 70_000, "more than 65536 bytes")],
)
async def test_a_pod_cannot_send_the_operator_elsewhere_or_fill_its_memory(
    status: int, body: bytes, complaint: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Location": "http://127.0.0.1:1/"})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match=complaint):
            await page(session, str(server.make_url("/metrics")))


def test_spending_is_told_every_five_minutes_and_at_once_when_a_limit_is_passed() -> None:
    now, told = [0.0], list[Ref]()
    demo = Ref("ns", "demo")
    reports = Reports(Store(), 9090, 60, told.append, clock=lambda: now[0])

    def spend(cents: int) -> Decimal:
        report = Report(spent_hour=Decimal(cents) / 100, limit_hour=Decimal(1), warning=Decimal("0.5"))
        reports.take(demo, report)
        kept = reports.of(demo)
        assert kept is not None
        return kept.spent_hour

    assert spend(10) == Decimal("0.1")
    now[0] = 299
    assert spend(20) == Decimal("0.1")
    assert told == [demo]
    now[0] = 300
    assert spend(30) == Decimal("0.3")
    assert spend(60) == Decimal("0.6"), "the warning"
    assert spend(100) == Decimal(1), "the limit"
    reports.take(demo, None)
    assert (reports.of(demo), len(told)) == (None, 5)


def test_a_new_pod_that_has_not_measured_yet_takes_nothing_back() -> None:
    reports = Reports(Store(), 9090, 60, lambda _: None)
    demo = Ref("ns", "demo")
    reports.take(demo, Report(database_bytes=7))
    reports.take(demo, Report(llm_reachable=False))
    assert reports.of(demo) == Report(llm_reachable=False, database_bytes=7)


def test_a_ready_pod_with_an_address_is_asked() -> None:
    def pod(name: str, ready: str = "True", **status: Any) -> Manifest:
        labels = {"app.kubernetes.io/component": "api"}
        conditions = [{"type": "Ready", "status": ready}]
        return {
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "status": {"conditions": conditions, **status},
        }

    going = pod("a", podIP="10.0.0.1")
    going["metadata"]["deletionTimestamp"] = "now"
    pods = [
        pod("d", podIP="10.0.0.4"),
        pod("c", podIP="10.0.0.3"),
        pod("b", "False", podIP="10.0.0.2"),
        going,
        pod("aa"),
    ]
    found = ready_pod(pods)
    assert found is not None
    assert found["metadata"]["name"] == "c"
    assert ready_pod([going]) is None


@pytest.mark.parametrize(
    ("report", "llm", "budget"),
    [
        (None, ("Unknown", "NotReported"), ("Unknown", "NotReported")),
        (Report(), ("True", "Reachable"), ("True", "WithinBudget")),
        (Report(llm_reachable=False), ("False", "Unreachable"), ("True", "WithinBudget")),
        (
            Report(spent_hour=Decimal(11), limit_hour=Decimal(50), warning=Decimal(10)),
            ("True", "Reachable"), ("True", "AboveWarning"),
        ),
        (Report(spent_hour=Decimal(50), limit_hour=Decimal(50)), ("True", "Reachable"), ("False", "HourSpent")),
        (
            Report(spent_hour=Decimal(50), limit_hour=Decimal(50), spent_month=Decimal(9), limit_month=Decimal(9)),
            ("True", "Reachable"), ("False", "MonthSpent"),
        ),
    ],
)  # fmt: skip
def test_model_and_budget_are_conditions(report: Report | None, llm: tuple[str, str], budget: tuple[str, str]) -> None:
    observed = replace(healthy(resource(llm=ONLINE)), report=report)
    found = conditions(observed)
    assert (found["LLMReachable"], found["BudgetOK"]) == (llm, budget)
    assert (found["Degraded"][0] == "True") == (llm[0] == "False")


def test_the_status_tells_spending_and_where_data_and_cache_are() -> None:
    observed = replace(healthy(resource(llm=ONLINE)), report=read(TEXT))
    assessment = assess(observed)
    assert (assessment.llm.spent_this_hour, assessment.llm.spent_this_month) == ("0.12", "12.50")
    assert assessment.database is not None
    assert (assessment.database.address, assessment.database.storage) == ("demo-database:5432/genai_auto", "10Gi")
    assert assessment.redis is not None
    assert assessment.redis.address == "demo-redis:6379"


def claim(capacity: str = "10Gi", asked: str = "10Gi") -> Manifest:
    return {
        "kind": "PersistentVolumeClaim", "metadata": {"name": NAMES.database_claim, "labels": {}},
        "spec": {"resources": {"requests": {"storage": asked}}},
        "status": {"phase": "Bound", "capacity": {"storage": capacity}},
    }  # fmt: skip


def stored(size: float, volume: Manifest | None = None, **storage: Any) -> Observed:
    """An instance whose database has so many GiB; its write-ahead log takes 2 GiB."""
    app = resource(database={"managed": {"storage": storage}})
    return replace(healthy(app), report=Report(database_bytes=int(size * GIB))).with_objects((volume or claim(),))


@pytest.mark.parametrize(
    ("observed", "condition", "words"),
    [
        (stored(3), ("True", "Enough"), "about 50 % of 10Gi"),
        (stored(6.6), ("False", "FillingUp"), "about 85 % of 10Gi are used: raise database.managed.storage.size"),
        (stored(6.6, autogrow={"enabled": True}), ("True", "Enough"), "about 85 %"),
        (stored(6.6, autogrow={"enabled": True, "maxSize": "10Gi"}), ("False", "FillingUp"), "autogrow.maxSize"),
        (stored(3, claim(asked="20Gi")), ("False", "Growing"), "to 20Gi"),
    ],
)
def test_the_volume_is_a_condition(observed: Observed, condition: tuple[str, str], words: str) -> None:
    verdict = assess(observed).conditions["StorageHealthy"]
    assert (verdict.status, verdict.reason) == condition
    assert words in verdict.message


@pytest.mark.parametrize(
    ("autogrow", "used", "size"),
    [
        ({}, 95, "10Gi"),
        ({"enabled": True}, 75, "10Gi"),
        ({"enabled": True}, 80, "12800Mi"),
        ({"enabled": True, "thresholdPercent": 60, "stepPercent": 50}, 60, "15360Mi"),
        ({"enabled": True, "maxSize": "11Gi"}, 90, "11264Mi"),
        ({"enabled": True, "maxSize": "5Gi"}, 90, "10Gi"),
        ({"enabled": True}, None, "10Gi"),
    ],
)
def test_a_volume_grows_by_a_step_up_to_its_largest_size(autogrow: Manifest, used: int | None, size: str) -> None:
    app = resource(database={"managed": {"storage": {"size": "10Gi", "autogrow": autogrow}}})
    assert wanted_size(app, claim(), used) == size


def test_how_full_it_is_is_told_in_steps() -> None:
    app = resource()
    assert used_percent(app, claim(), int(3.3 * GIB)) == 50  # 2 GiB of write-ahead log beside it
    assert used_percent(app, claim(), None) is None
    assert used_percent(app, None, GIB) is None
