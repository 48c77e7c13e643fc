"""Yes, no, unknown and stop, as people write them in two languages; anything else is none of them."""

import time

import pytest

from genai_app.agents.troubleshoot.replies import Reply, understand

SAID = {
    Reply.YES: [
        "yes", "Yes.", "yeah", "yep", "Y", "sure", "correct", "yes it does", "it does", "I think so, yes", "exactly!",
        "Yes, the pedal goes to the floor", "ok, yes", "Well, yes", "that's right", "they do", "definitely",
        "sim", "Sim!", "s", "claro", "com certeza", "isso", "Isso mesmo", "é", "está sim", "acho que sim", "aham",
        "exatamente", "tem sim", "faz", "Sim, desce até o fundo", "positivo", "bom, sim",
    ],
    Reply.NO: [
        "no", "No.", "nope", "nah", "n", "not really", "it doesn't", "It does not", "it is not", "not at all", "never",
        "no it's fine", "No, but it makes a noise", "it's not", "they don't", "none", "nothing",
        "não", "Não!", "nao", "acho que não", "não está", "de jeito nenhum", "nunca", "nenhuma", "não, nada disso",
        "negativo", "Não, mas faz barulho", "nada",
    ],
    Reply.UNKNOWN: [
        "I don't know", "i dont know", "don't know", "not sure", "I'm not sure", "no idea", "no clue", "maybe",
        "I can't tell", "hard to say", "haven't checked", "I haven't looked yet", "perhaps", "idk", "dunno", "unsure",
        "não sei", "nao sei", "não tenho certeza", "sei lá", "talvez", "não faço ideia", "não verifiquei",
        "difícil dizer", "pode ser", "não consigo ver", "Não lembro",
    ],
    Reply.STOP: ["stop", "cancel", "never mind", "nevermind", "forget it", "quit", "pare", "cancela", "esquece",
                 "deixa pra lá", "chega", "parar"],
}  # fmt: skip
OTHER = [
    "How many airbags does the car have?",
    "no, how often must the oil be changed?",
    "I want to book a service for Monday",
    "The engine is overheating",
    "Quanto custa a troca de óleo?",
    "Quero agendar uma revisão",
    "note that my car is red",
    "Simone drives it",
    "noise from the left",
    "nothing? then tell me the price of an inspection please",
    "",
    "?",
    "🚗",
]


@pytest.mark.parametrize(("text", "reply"), [(text, reply) for reply, texts in SAID.items() for text in texts])
def test_a_reply_is_understood(text: str, reply: Reply) -> None:
    assert understand(text) is reply


@pytest.mark.parametrize("text", ["well " * 1600, "... " * 2000, "_ -" * 2600, "acho que " * 900, "not " * 2000])
def test_the_longest_message_takes_no_time(text: str) -> None:
    began = time.process_time()
    understand(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("text", OTHER)
def test_a_new_topic_is_no_reply(text: str) -> None:
    assert understand(text) is None
