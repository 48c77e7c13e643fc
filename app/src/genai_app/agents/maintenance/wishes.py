"""The patterns behind `hearing`: what people say when they want something of the workshop; data, no behaviour.

All are written for `plain` text: lower case, no accents. Wishes are tried in order; the first that is found counts.
"""

import re
from typing import Final, Literal

Wish = Literal["cancel", "reschedule", "appointments", "history", "prices", "slots", "book"]

APPOINTMENT: Final = (
    r"(?:appointments?|bookings?|reservations?|visits?|agendamentos?|reservas?|horarios?|marcac(?:ao|oes)|consultas?"
    r"|revis(?:ao|oes))"
)
OTHER_TIME: Final = r"(?:another|a different|other|outr[oa]) (?:day|time|date|slot|dia|hora|horario|data)"
PLEASE: Final = r"(?:please |por favor,? )?"

_PATTERNS: Final[tuple[tuple[Wish, tuple[str, ...]], ...]] = (
    (
        "cancel",
        (
            rf"\b(?:cancel|call off|drop|cancel[ae]r?|cancelo|cancelem)\b.{{0,80}}\b{APPOINTMENT}\b",
            rf"^{PLEASE}(?:cancel|cancel[ae]r?)(?: (?:it|that|isso))?(?:,? (?:please|por favor))?[.!]*$",
            r"\bdesmarc(?:ar|a|o|que)\b",
        ),
    ),
    (
        "reschedule",
        (
            r"\b(?:reschedule|re-?book|remarc(?:ar|a|o)|remarque|reagend(?:ar|a|e|o))\b",
            r"\b(?:move|change|postpone|shift|push back|bring forward|mudar|mude|muda|adiar|adie|antecipar|transferir"
            rf"|transfira|trocar|alterar|passar)\b.{{0,80}}\b(?:{APPOINTMENT}|{OTHER_TIME})\b",
        ),
    ),
    (
        "appointments",
        (
            rf"\b(?:my|our|any|next|meus?|minhas?|nossos?|proxim[ao]s?|algum)\b(?: \w+)? {APPOINTMENT}\b",
            rf"\b{APPOINTMENT} (?:do|have) (?:i|we)\b",
            rf"\b(?:quais|que|quant[ao]s) {APPOINTMENT} (?:eu |nos )?(?:tenho|temos)\b",
            r"\b(?:tenho|esta) (?:algo |alguma coisa )?(?:agendado|marcado)\b",
            r"\bam i booked\b",
        ),
    ),
    (
        "history",
        (
            r"\b(?:service|maintenance|repair) (?:history|records?)\b",
            r"\bhistoric[oa]\b",
            r"\bhad (?:anything |everything )?(?:done|serviced|repaired)\b",
            r"\b(?:has|was|were|been) (?:ever )?done (?:to|on|with)\b",
            r"\bwhat (?:services?|work|repairs?) (?:did|has|have|was|were)\b",
            r"\bwhat (?:was|has been) (?:done|repaired)\b",
            r"\b(?:when|what|which) (?:was|were|did)\b.{0,80}\blast (?:service|oil change|inspection|visit|time)\b",
            r"\bo que (?:ja )?(?:foi|fizeram|fizemos|fiz|eu fiz|voces fizeram)\b.{0,80}\b(?:feito|carro|veiculo)\b",
            r"\b(?:quais|que) servicos? (?:(?:o |no )?meu carro )?(?:ja )?(?:foram|foi|fiz|fez|fizeram|fizemos|teve)\b",
            r"\b(?:quando|qual)\b.{0,80}\bultim[ao] (?:revisao|troca|servico|visita|manutencao)\b",
        ),
    ),
    (
        "slots",
        (
            r"\b(?:free|available|open) (?:slots?|times?|appointments?|spots?|hours|dates?)\b",
            r"\bavailability\b",
            r"\b(?:slots?|times?|appointments?) (?:(?:is|are) )?(?:free|available|open|do you have|are there)\b",
            r"\bwhen (?:can|could|may) i (?:come|bring)\b",
            r"\b(?:any|have an?) openings?\b",
            r"\bhorarios? (?:livres?|disponive(?:l|is)|vagos?|tem|ha|voces tem)\b",
            r"\b(?:tem|ha) (?:algum )?horarios?\b",
            r"\b(?:tem|ha) vagas?\b",
            r"\bdisponibilidade\b",
            r"\bquando posso (?:levar|ir|passar)\b",
        ),
    ),
    (
        "book",
        (
            r"\bbook\b",
            r"\b(?:make|need|want|like|get|set up|arrange|have) (?:an|the) appointment\b",
            r"\bnew appointment\b",
            r"^(?!.*\b(?:what|which|when is|maintenance schedule)\b).*\bschedule (?:an?|my|the|me|it|for)\b",
            r"\b(?:agendar|agendo|agende|agendem|marcar|marque|reservar|reserve)\b",
            r"\bagenda (?:um|uma|a|o|pra|para)\b",
            r"\bmarca (?:um|uma|pra|para)\b",
        ),
    ),
)
WISHES: Final = tuple((wish, re.compile("|".join(patterns))) for wish, patterns in _PATTERNS)

PRICE: Final = re.compile(
    r"\bhow much (?:is|are|does|do|would|will|for|to)\b|\bcosts?\b|\bprices?\b|\bpricing\b|\bfees?\b|\bcharge\b"
    r"|\bquanto (?:custa|custam|sai|fica|e|cobram?|vou pagar)\b|\bprecos?\b|\bvalor(?:es)?\b"
)
ANY_SERVICE: Final = re.compile(r"\b(?:services?|servicos?|price list|your prices|list of prices|tabela de precos)\b")
QUESTION: Final = re.compile(
    r"\?|^(?:when|how|what|which|why|where|should|must|is|are|does|do)\b"
    r"|^(?:quando|como|qual|quais|por que|onde|devo|quanto)\b"
)
ASKS_FOR_IT: Final = re.compile(rf"^{PLEASE}(?:can|could|may|will|would|pode|podem|posso|da para)\b")
MOVES_IT: Final = re.compile(r"\b(?:move|change|postpone|shift|put|make|mude|muda|mudar|passa|passe|adia|adie)\b")

_COURTESY: Final = r"(?:[,.! ]+(?:please|thanks|thank you|por favor|obrigad[ao]|valeu|then|entao|isso|it|that))*[.! ]*"
_YES: Final = (
    r"(?:yes|yeah|yep|yup|sure|ok|okay|fine|great|perfect|correct|right|confirm(?:ed)?|i confirm|go ahead|do it"
    r"|book it|please do|sounds good|that works|of course|absolutely|sim|claro|confirmo|confirmado|confirma|confirme"
    r"|pode(?: ser| marcar| agendar| remarcar| sim| confirmar| cancelar)?|isso(?: mesmo)?|certo|perfeito|fechado"
    r"|beleza|com certeza|blz)"
)
_AND_YES: Final = (
    r"(?:[,.! ]+(?:yes|sure|please|do|go ahead|book it|do it|confirm(?: it)?|cancel it|move it|sim|claro|confirmo|isso"
    r"|pode(?: marcar| ser| confirmar| cancelar)?))*"
)
YES: Final = re.compile(f"{_YES}{_AND_YES}{_COURTESY}")
"""Of a whole message. More than a plain yes ("yes, but at 11") is none."""
NO: Final = re.compile(
    r"(?:no|nope|nah|not now|no thanks|never mind|nevermind|forget it|do not|don't|stop|leave it|nao|nao quero"
    rf"|agora nao|deixa(?: pra la)?|esquece|esqueca|melhor nao)\b{_COURTESY}"
)
CONFIRMATION: Final = re.compile(r"\bapt-[a-z0-9]{4,}\b")
ORDINALS: Final = (
    re.compile(r"\b(?:first|1st|primeir[ao]|number one)\b"),
    re.compile(r"\b(?:second|2nd|segund[ao](?! ?-?feira))\b"),
    re.compile(r"\b(?:third|3rd|terceir[ao])\b"),
    re.compile(r"\b(?:last|ultim[ao])\b"),
)
