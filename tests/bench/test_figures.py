"""What is made of measurements; nothing is measured here."""

import json

import pytest

from genai_bench.errors import BenchError
from genai_bench.figures import Goal, Row, Sense, cells, columns
from genai_bench.load import counted, numbered
from genai_bench.plan import FULL, QUICK, Plan, interleaved
from genai_bench.report import page

AT_MOST = Goal(Sense.AT_MOST, now=0.7, aim=0.5)
AT_LEAST = Goal(Sense.AT_LEAST, now=0.7, aim=1.0)


def test_the_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    slowed_down_in_the_last_round = Row("p", "µs", ours=(10, 12, 60), peer=(20, 20, 100), goal=AT_MOST)
    assert slowed_down_in_the_last_round.compared == 0.6


def test_a_rate_is_compared_by_the_cpu_that_the_other_one_takes() -> None:
    assert Row("p", "µs", ours=(20,), peer=(15,), goal=AT_LEAST, inverted=True).compared == 0.75


def test_without_a_peer_the_figure_itself_is_held_against_the_goal() -> None:
    row = Row("p", "KiB", ours=(30, 50, 41), peer=(), goal=Goal(Sense.AT_MOST, 60, 40))
    assert (row.compared, row.verdict) == (41, "ok")
    assert cells(row) == ("p", "41 (30)", "–", "–", "≤60 (aim ≤40)", "ok")


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [(AT_MOST, 0.7, True), (AT_MOST, 0.71, False), (AT_LEAST, 0.7, True), (AT_LEAST, 0.69, False)],
)
def test_a_goal_is_met_on_its_good_side(goal: Goal, value: float, *, met: bool) -> None:
    assert goal.met(value) is met


def test_a_row_survives_its_json() -> None:
    row = Row("p", "µs", ours=(20.5,), peer=(15.25,), goal=AT_LEAST, inverted=True)
    stored = json.loads(json.dumps(row.as_json()))
    assert Row.from_json(stored) == row
    assert (stored["compared"], stored["verdict"]) == (0.7439, "ok")


def test_columns_are_aligned() -> None:
    assert columns([("name", "ours"), ("P1", "1,234")]) == "name  ours\nP1    1,234"


def test_rounds_take_turns() -> None:
    plan = Plan(rounds=2, seconds=1, sessions=1)
    assert list(interleaved(plan, "AB")) == [(0, "A"), (0, "B"), (1, "A"), (1, "B")]


def test_the_quick_form_stays_under_two_minutes_with_three_sides() -> None:
    assert QUICK.rounds * QUICK.seconds * 3 < 60
    assert (FULL.rounds, QUICK.rounds) == (5, 3)


def test_a_run_with_a_failed_request_measured_nothing() -> None:
    good = 'Running …\nRESULT {"requests": 10, "failed": 0, "p50": 1.5, "p99": 2.5}\n'
    assert counted(good, "url").requests == 10
    for output in (good.replace('"failed": 0', '"failed": 1'), good.replace("10", "0"), "killed"):
        with pytest.raises(BenchError):
            counted(output, "url")


def test_bodies_keep_the_word_that_the_load_generator_replaces() -> None:
    assert numbered([{"message": "after NUMBER kilometres"}]) == ('{"message": "after NUMBER kilometres"}',)


def test_the_page_has_a_table_for_each_result() -> None:
    row = Row("P3 cached chat", "µs CPU a request", ours=(900, 800, 1000), peer=(450, 400, 500), goal=AT_MOST)
    result = {
        "bench": "p3",
        "rounds": 3,
        "seconds": 2,
        "at": "2026-11-26T10:00:00+00:00",
        "machine": "2 cores",
        "rows": [row.as_json()],
        "notes": ["One note."],
    }
    text = page([result])
    assert "| name | unit | ours | peer | ratio | goal |  |" in text
    assert "| P3 cached chat | µs CPU a request | 900 (800) | 450 (400) | 2.00 | ≤0.7 (aim ≤0.5) | short |" in text
    assert "* One note." in text
    assert "2026-11-26, 3 rounds of 2 s a side; 2 cores." in text
