"""What the troubleshooter says around the texts of its trees, in both languages; pure."""

from typing import Final

from genai_app.agents.conversation import DiagnosticResult, Severity
from genai_app.agents.troubleshoot.replies import Reply
from genai_app.agents.troubleshoot.tree import Diagnosis, Tree
from genai_app.agents.troubleshoot.walk import Place
from genai_app.llm.vocabulary import Language

SEVERITY: Final[dict[Severity, dict[Language, str]]] = {
    "critical": {"en": "critical: do not drive", "pt": "crítica: não dirija"},
    "high": {"en": "high: to a workshop now", "pt": "alta: vá a uma oficina já"},
    "medium": {"en": "medium: to a workshop soon", "pt": "média: vá a uma oficina em breve"},
    "low": {"en": "low: nothing urgent", "pt": "baixa: nada urgente"},
}
CAUSES: Final[dict[Language, str]] = {"en": "Most likely causes:", "pt": "Causas mais prováveis:"}
ACTIONS: Final[dict[Language, str]] = {"en": "What to do:", "pt": "O que fazer:"}
URGENCY: Final[dict[Language, str]] = {"en": "Severity", "pt": "Gravidade"}
WORKSHOP: Final[dict[Language, str]] = {
    "en": "This needs a workshop: say “book an inspection” and I look for a free time.",
    "pt": "Isto precisa de uma oficina: diga “agendar uma inspeção” e eu procuro um horário livre.",
}
BY_YOURSELF: Final[dict[Language, str]] = {
    "en": "You can do this yourself.",
    "pt": "Você mesmo pode fazer isso.",
}
TO_FIND_THE_CAUSE: Final[dict[Language, str]] = {
    "en": "To find the cause:",
    "pt": "Para achar a causa:",
}
HOW_TO_REPLY: Final[dict[Language, str]] = {
    "en": "(yes, no, or “I don't know”)",
    "pt": "(sim, não ou “não sei”)",
}
NOT_UNDERSTOOD: Final[dict[Language, str]] = {
    "en": "I did not understand that. Please answer yes, no, or “I don't know”; “stop” ends the questions.",
    "pt": "Não entendi. Responda sim, não ou “não sei”; “parar” encerra as perguntas.",
}
GIVEN_UP: Final[dict[Language, str]] = {
    "en": "I cannot follow: let us leave the questions here. Describe the fault in other words, or ask for a person.",
    "pt": "Não consigo acompanhar: vamos deixar as perguntas. Descreva o defeito de outra forma, ou peça uma pessoa.",
}
STOPPED: Final[dict[Language, str]] = {
    "en": "All right, no more questions. Tell me when I can help.",
    "pt": "Tudo bem, sem mais perguntas. Me chame quando eu puder ajudar.",
}


def ask(tree: Tree, place: Place, *, again: bool) -> str:
    """The question that waits for its reply."""
    code = place.language
    before = NOT_UNDERSTOOD if again else TO_FIND_THE_CAUSE
    return f"{before[code]} {tree.questions[place.node].ask.of(code)}{'' if again else ' ' + HOW_TO_REPLY[code]}"


def result(tree: Tree, place: Place) -> DiagnosticResult:
    """The diagnosis at `place`."""
    code, found = place.language, tree.diagnoses[place.node]
    confirmed = (tree.questions[name].ask.of(code) for name, reply in place.answers.items() if reply is Reply.YES)
    return DiagnosticResult(
        symptoms=(tree.title.of(code), *confirmed),
        possible_causes=tuple(cause.of(code) for cause in found.causes),
        recommended_actions=tuple(action.of(code) for action in found.actions),
        severity=found.severity,
        requires_professional=found.requires_professional,
        safety_warning=_warning(found, code),
    )


def explain(diagnosis: DiagnosticResult, title: str, code: Language) -> str:
    """A diagnosis as the customer reads it, without its warning."""
    return "\n".join(
        [
            f"{title}. {URGENCY[code]}: {SEVERITY[diagnosis.severity][code]}.",
            "",
            CAUSES[code],
            *(f"- {cause}" for cause in diagnosis.possible_causes),
            "",
            ACTIONS[code],
            *(f"- {action}" for action in diagnosis.recommended_actions),
            "",
            (WORKSHOP if diagnosis.requires_professional else BY_YOURSELF)[code],
        ]
    )


def _warning(found: Diagnosis, code: Language) -> str | None:
    return f"⚠ {found.warning.of(code)}" if found.warning else None
