"""The safety warning: for a danger in both languages, never for a question about a safety part."""

import pytest

from genai_app.agents.troubleshoot.safety import dangers, warning

DANGERS = {
    "fire": ["My car is on fire", "Flames under the bonnet", "It smells like something is burning",
             "O carro está pegando fogo", "Tem fogo no capô", "Sinto cheiro de queimando",
             "There is fire in the engine bay, burning"],
    "fuel": ["I smell petrol inside the car", "There is a gas leak", "Fuel is dripping under the car",
             "Sinto cheiro de gasolina", "Está vazando combustível", "Cheiro de álcool forte"],
    "smoke": ["Smoke comes from the bonnet", "There is smoke in the cabin", "Smoke is coming out of the dashboard",
              "Está saindo fumaça do capô", "Tem fumaça dentro do carro", "Sai fumaça do painel"],
    "brakes": ["My brakes are not working", "My brakes don’t work", "Brake failure!", "The brake pedal feels soft",
               "Grinding when I brake",
               "O freio falhou", "Estou sem freio, perdi o freio", "O pedal de freio está mole",
               "O carro não freia, o freio não funciona"],
    "steering": ["The steering has failed", "The steering is locked", "The steering became very heavy",
                 "A direção travou", "O volante ficou duro", "A direção está pesada"],
    "airbag": ["The airbag light is on", "My airbag deployed by itself", "Airbag fault message",
               "A luz do airbag acendeu", "O airbag disparou sozinho", "Airbag com defeito"],
}  # fmt: skip
HARMLESS = [
    "How many airbags are there?",
    "Quantos airbags o carro tem?",
    "How do I switch off the passenger airbag?",
    "Como desligo o airbag do passageiro?",
    "How often is the brake fluid replaced?",
    "What type of brakes does the front axle have?",
    "Quando se troca o fluido de freio?",
    "My firewall blocks the app",
    "Where is the fire extinguisher?",
    "The engine cranks but does not fire",
    "Which fuel may I use?",
    "Posso usar etanol ou gasolina?",
    "How do I adjust the steering wheel?",
    "Is the steering electric?",
    "May I smoke in a courtesy car?",
    "White smoke comes out of the tailpipe",
    "What is the price of a brake service?",
    "Hello",
    "",
]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in DANGERS.items() for text in texts])
def test_a_danger_is_warned_of(name: str, text: str) -> None:
    [danger] = [danger for danger in dangers() if danger.name == name]
    assert warning(text, "en") == danger.warning.en
    assert warning(text, "pt") == danger.warning.pt


@pytest.mark.parametrize("text", HARMLESS)
def test_a_question_about_a_part_is_no_danger(text: str) -> None:
    assert warning(text, "en") is None
