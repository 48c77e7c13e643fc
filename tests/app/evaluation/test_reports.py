"""What an evaluation says, and that the shipped sets are what they claim to be."""

import io
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from rich.console import Console

from genai_app.agents.conversation import Answer, Source
from genai_app.evaluation import cache, privacy, unanswerable
from genai_app.evaluation.report import Goal, Report, Table, as_json, show
from genai_app.evaluation.unanswerable import Unanswerable
from genai_app.llm.vocabulary import language
from genai_app.rag.embedding import PackagedEmbedder

REPORT = Report(
    "example",
    (Table("Some counts", ("what", "count", "ratio"), (("a", 3, 0.5), ("b", 0, 1.0))),),
    (Goal("good enough", 0.9, 0.8, "at least"), Goal("few errors", 0.002, 0.001, "at most")),
)


def test_a_report_is_met_when_every_goal_is() -> None:
    assert [goal.met for goal in REPORT.goals] == [True, False]
    assert not REPORT.met
    assert Report("example", (), REPORT.goals[:1]).met


def test_json_says_all_that_the_tables_say() -> None:
    told = json.loads(as_json(REPORT))
    assert told["met"] is False
    assert [goal["met"] for goal in told["goals"]] == [True, False]
    assert told["tables"][0]["rows"] == [["a", 3, 0.5], ["b", 0, 1.0]]
    shown = io.StringIO()
    show(REPORT, Console(file=shown, width=100))
    for text in ("Some counts", "0.5000", "few errors", "at most 0.001", "short"):
        assert text in shown.getvalue()


def test_the_paraphrases_are_enough_and_balanced() -> None:
    wordings = cache.load()
    assert len({wording.text for wording in wordings}) == len(wordings) >= 750
    meanings = Counter((wording.family, wording.meaning, wording.language) for wording in wordings)
    assert set(meanings.values()) == {3}
    families = {(wording.family, wording.split) for wording in wordings}
    assert len(families) == len({family for family, _ in families})  # no family is in both splits
    assert Counter(language(wording.text) for wording in wordings)["pt"] >= 350


@pytest.mark.parametrize("split", ["tuning", "held_out"])
def test_equal_subjects_alone_find_half_of_the_paraphrases_and_nothing_else(split: str) -> None:
    """Without vectors: with them there are fewer hits, so fewer false ones, too."""
    wordings = [wording for wording in cache.load() if wording.split == split]
    found = cache.pairs(wordings, [np.ones(1, dtype=np.float32)] * len(wordings))
    asked = Counter(pair.relation for pair in found)
    hits = Counter(pair.relation for pair in found if pair.same_subject)
    assert asked["paraphrase"] >= 350
    assert asked["near miss"] >= 1_500
    assert hits["paraphrase"] / asked["paraphrase"] >= 0.5
    assert (hits["near miss"], hits["other question"]) == (0, 0)


async def test_paraphrases_are_near_enough_for_the_packaged_model() -> None:
    embedder = PackagedEmbedder(768)
    wordings = [wording for wording in cache.load() if wording.split == "held_out"][:48]
    found = cache.pairs(wordings, await embedder.embed_queries([wording.text for wording in wordings]))
    same = [pair for pair in found if pair.same_subject]
    assert len(same) >= 10
    assert sum(pair.cosine >= embedder.scale.related for pair in same) / len(same) >= 0.8


def test_a_false_hit_misses_the_goal() -> None:
    right = cache.Pair("paraphrase", "tuning", "en", 0.95, same_subject=True)
    wrong = cache.Pair("near miss", "tuning", "en", 0.95, same_subject=True)
    far = cache.Pair("near miss", "tuning", "en", 0.5, same_subject=True)
    embedder = PackagedEmbedder(768)
    assert cache.assess([right, far], embedder).met
    assert not cache.assess([right, wrong], embedder).met
    assert not cache.assess([far], embedder).met


def answer(**fields: object) -> Answer:
    values: dict[str, object] = {"text": "I do not know.", "agent": "specs", "confidence": 0.2, "answered": False}
    return Answer(**(values | fields))  # type: ignore[arg-type]  # the fields of one dataclass, by name


@pytest.mark.parametrize(
    ("fields", "met"),
    [
        ({}, True),
        ({"answered": True}, False),
        ({"sources": (Source("specs.md", "Engine", "spec", 0.9),)}, False),
        ({"cost_usd": Decimal(1)}, True),
    ],
)
def test_an_answer_to_what_has_none_is_invented(fields: dict[str, object], met: bool) -> None:
    asked = [Unanswerable("en", f"Question {number}?") for number in range(20)]
    assert unanswerable.assess(asked, [answer(**fields)] + [answer()] * 19).met is met


def test_there_are_enough_unanswerable_questions_in_both_languages() -> None:
    counts = Counter(each.language for each in unanswerable.load())
    assert sum(counts.values()) >= 40
    assert min(counts["en"], counts["pt"]) >= 10


def test_the_privacy_report_covers_every_part_of_the_set() -> None:
    report = privacy.report()
    assert len(report.tables) == 4
    assert len(report.goals) == 9
    assert {goal.name for goal in report.goals if not goal.met} <= {"milliseconds a text, mean"}  # a busy machine


@pytest.fixture
def evaluate() -> Callable[..., tuple[int, str]]:
    """`genai-auto evaluate …` in this process: its exit status and output."""
    from typer.testing import CliRunner

    from genai_app.__main__ import app

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["evaluate", *arguments])
        return result.exit_code, result.stdout

    return run


def test_the_command_prints_json_and_its_status_is_the_verdict(evaluate: Callable[..., tuple[int, str]]) -> None:
    status, output = evaluate("privacy", "--json")
    told = json.loads(output)
    assert told["name"] == "privacy"
    assert status == (0 if told["met"] else 1)
    status, output = evaluate("nonsense")
    assert status == 2
