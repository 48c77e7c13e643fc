"""What is a wish and what only looks like one, over every question that ships, and in two languages."""

import json
import time
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from genai_app.agents.maintenance.hearing import hear, services_in

TODAY = date(2026, 11, 25)
SHIPPED = Path(str(resources.files("genai_app")))
FILES = (
    SHIPPED / "evaluation/data/routing.jsonl",
    SHIPPED / "evaluation/data/unanswerable.jsonl",
    SHIPPED / "agents/routing_examples.jsonl",
    Path(__file__).parent.with_name("rag") / "answerable.jsonl",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_question_for_the_manuals_is_taken_for_a_wish(file: Path) -> None:
    asked = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    manuals = [each["question"] for each in asked if each.get("agent") != "maintenance"]
    assert len(manuals) >= 20
    assert [question for question in manuals if hear(question, TODAY).wish] == []


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("Can I schedule an oil change for Monday?", "book"),
        ("Can my car be inspected tomorrow?", "book"),
        ("my brakes squeal, can you book me in for Friday?", "book"),
        ("Gostaria de marcar uma revisão para segunda", "book"),
        ("I need to call off my visit", "cancel"),
        ("Quero desmarcar meu horário", "cancel"),
        ("Please move my booking to next week", "reschedule"),
        ("Posso remarcar para outro dia?", "reschedule"),
        ("Is there any appointment for me?", "appointments"),
        ("Which appointments do I have?", "appointments"),
        ("Quais são meus agendamentos?", "appointments"),
        ("Quais agendamentos eu tenho?", "appointments"),
        ("What services did my car have in the past?", "history"),
        ("When was my last oil change?", "history"),
        ("Quais serviços meu carro já fez?", "history"),
        ("Do you have an opening this afternoon?", "slots"),
        ("Tem vaga para amanhã de manhã?", "slots"),
        ("What is the price of a brake service?", "prices"),
        ("Qual o valor da troca do filtro de ar?", "prices"),
        ("How do I cancel the adaptive cruise control?", None),
        ("What is the maintenance schedule?", None),
        ("Where is the service booklet?", None),
        ("How much oil does it take?", None),
        ("Qual a marca do óleo?", None),
        ("Move the seat back", None),
        ("How do I change the time of the clock?", None),
    ],
)
def test_a_wish_is_heard(text: str, wish: str | None) -> None:
    assert hear(text, TODAY).wish == wish


@pytest.mark.parametrize("text", ["yes", "Yes, please!", "ok", "Sure, go ahead.", "sim", "pode marcar", "Sim, claro"])
def test_a_plain_yes(text: str) -> None:
    assert hear(text, TODAY).yes


@pytest.mark.parametrize(
    "text", ["yes but later", "yes?", "is it ok", "yesterday", "simples", "okay what about 11", "not ok", "no", ""]
)
def test_anything_more_or_less_is_no_yes(text: str) -> None:
    assert not hear(text, TODAY).yes


def test_services_are_whole_words_in_both_languages() -> None:
    assert services_in("Oil-change and TYRE rotation") == ("oil_change", "tire_rotation")
    assert services_in("troca do filtro de ar e das pastilhas") == ("brake_service", "air_filter")
    assert services_in("brakelight breakdown boil changes") == ()


@pytest.mark.parametrize("piece", ["move ", "cancel a ", "what was ", "1 2 3 h ", "a ", "yes ", "-", "é"])
def test_a_hostile_message_takes_no_longer_than_its_length_allows(piece: str) -> None:
    def cpu(length: int) -> float:
        text = (piece * length)[:length]
        begin = time.process_time()
        for _ in range(5):
            hear(text, TODAY)
        return time.process_time() - begin

    assert cpu(8000) < 0.5
