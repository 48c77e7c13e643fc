"""What the customer is told when a person takes over, in English and Portuguese; pure."""

from typing import Final

from genai_app.handoff.policy import HandoffReason
from genai_app.llm.vocabulary import Language

_ANSWERS: Final[dict[HandoffReason, dict[Language, str]]] = {
    HandoffReason.SAFETY_CONCERN: {
        "en": (
            "This may be dangerous: do not drive on. Stop where it is safe, switch the engine off, get everybody out "
            "and away from the traffic. In an emergency call 192 (ambulance) or 193 (fire brigade) in Brazil, 112 or "
            "911 elsewhere. A person from our team takes over."
        ),
        "pt": (
            "Isto pode ser perigoso: não continue dirigindo. Pare em local seguro, desligue o motor, tire todos do "
            "carro e afaste-se do trânsito. Em emergência ligue 192 (ambulância) ou 193 (bombeiros) no Brasil, 112 ou "
            "911 em outros países. Uma pessoa da nossa equipe assume o atendimento."
        ),
    },
    HandoffReason.USER_REQUEST: {
        "en": "Of course. A person from our team takes over, and gets what you have written so far.",
        "pt": "Claro. Uma pessoa da nossa equipe assume o atendimento e recebe o que você já escreveu.",
    },
    HandoffReason.SENSITIVE_TOPIC: {
        "en": (
            "This is for a person to answer, not for an assistant. Somebody from our team takes over, and gets what "
            "you have written so far. If anybody is hurt, call an ambulance first: 192 in Brazil, 112 or 911 elsewhere."
        ),
        "pt": (
            "Isto deve ser respondido por uma pessoa, não por um assistente. Alguém da nossa equipe assume o "
            "atendimento e recebe o que você já escreveu. Se houver feridos, chame antes uma ambulância: 192 no "
            "Brasil, 112 ou 911 em outros países."
        ),
    },
}
_TICKET: Final[dict[Language, str]] = {
    "en": "Your ticket is {ticket}. A person from our team takes over, in about {minutes} minutes.",
    "pt": "Seu protocolo é {ticket}. Uma pessoa da nossa equipe assume em cerca de {minutes} minutos.",
}


def answer(reason: HandoffReason, language: Language) -> str:
    """The assistant's whole answer when words alone decided (`policy.ON_WORDS`). Raises KeyError for other reasons."""
    return _ANSWERS[reason][language]


def ticket_message(ticket: str, minutes: int, language: Language) -> str:
    """The line about the ticket, which stands beside any answer."""
    return _TICKET[language].format(ticket=ticket, minutes=minutes)
