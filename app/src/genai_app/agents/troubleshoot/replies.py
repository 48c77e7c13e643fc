"""Understanding "yes", "no", "I do not know" and "stop" in English and Portuguese; pure."""

import re
from enum import StrEnum
from typing import Final


class Reply(StrEnum):
    """What a customer answers to a yes-or-no question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    STOP = "stop"


LONGEST_UNKNOWN: Final = 12
"""Words. A longer message that holds "not sure" somewhere says more than that."""
LONGEST_QUESTION: Final = 4
"""Words. "yes?" is a reply; "no, and how much oil does it take?" is a new question."""

_FILLER: Final = (
    r"(?:[\W_]+|\b(?:well|hmm+|hm|um+|uh+|er|ah|oh|ok|okay|so|actually|honestly|i think|i guess|i believe|"
    r"bom|bem|então|entao|é que|olha|acho que|acredito que|eu acho que)\b)*+"
)
"""Possessive: what it has taken it never gives back, so that no message is read twice."""
_PATTERNS: Final = (
    (
        Reply.STOP,
        re.compile(
            rf"^{_FILLER}(?:stop(?: it)?|quit|cancel|never ?mind|forget it|leave it|pare|parar|cancela|cancelar|"
            r"esquece|esqueça|deixa (?:pra|para) l[áa]|deixa quieto|chega)[\W_]*$",
            re.IGNORECASE,
        ),
    ),
    (
        Reply.UNKNOWN,
        re.compile(
            r"\b(?:idk|dunno|(?:don[’']?t|do not|didn[’']?t|did not|can[’']?t|cannot|can not|couldn[’']?t|haven[’']?t) "
            r"(?:really )?(?:know|tell|say|see|hear|check(?:ed)?|look(?:ed)?|remember)|not sure|unsure|no idea|no clue|"
            r"hard to (?:say|tell)|maybe|perhaps|possibly|"
            r"n[ãa]o sei|sei l[áa]|n[ãa]o fa[çc]o ideia|sem ideia|n[ãa]o tenho (?:certeza|ideia)|sem certeza|talvez|"
            r"pode ser|dif[íi]cil dizer|n[ãa]o (?:verifiquei|olhei|reparei|lembro|consigo (?:ver|dizer|saber)))\b",
            re.IGNORECASE,
        ),
    ),
    (
        Reply.NO,
        re.compile(
            rf"^{_FILLER}(?:no|nope|nah|n|negative|never|not (?:really|at all|that|any(?:more)?)|neither|none|nothing|"
            r"(?:i )?(?:do|does|did|is|was|are|has|have)(?:n[’']?t| not)|(?:it|they|there) (?:is|are|does|do|did|was)"
            r"(?:n[’']?t| not| no)|it[’']s not|n[ãa]o|negativo|nunca|nenhum[a]?|nada|de jeito nenhum|nem)\b",
            re.IGNORECASE,
        ),
    ),
    (
        Reply.YES,
        re.compile(
            rf"^{_FILLER}(?:yes|yeah|yep|yup|y|sure|of course|correct|right|exactly|true|affirmative|indeed|definitely|"
            r"absolutely|(?:i|it|they|there) (?:do|does|did|is|are|was|have|has)|it[’']s so|"
            r"that[’']s (?:right|it|true)|sim|s|claro|com certeza|isso|exato|exatamente|positivo|correto|certo|"
            r"verdade|aham|uhum|(?:é|está|tá|faz|tem|ouço|sinto|acendeu)(?: sim)?)\b",
            re.IGNORECASE,
        ),
    ),
)


def understand(message: str) -> Reply | None:
    """The reply that a message is; None when it is something else, such as a new question."""
    length = len(message.split())
    if "?" in message and length > LONGEST_QUESTION:
        return None
    for reply, pattern in _PATTERNS:
        if pattern.search(message) and (reply is not Reply.UNKNOWN or length <= LONGEST_UNKNOWN):
            return reply
    return None
