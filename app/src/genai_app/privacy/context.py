"""Which kind of number a text announces: the nearest word that names one, before the number or right behind it."""

import re
from itertools import pairwise
from typing import Final

from genai_app.privacy.entities import Entity

OTHER: Final = "OTHER"
"""A word that names a number of something impersonal: an order, a part, a standard."""

_BEFORE, _BEHIND = 48, 20
"""Characters that are searched before and behind a number."""

_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (Entity.CPF, "cpf cpfs taxpayer"),
    (Entity.CNPJ, "cnpj cnpjs"),
    (Entity.CNH, "cnh habilitação habilitacao"),
    (Entity.RENAVAM, "renavam"),
    (Entity.SSN, "ssn itin"),
    (Entity.IBAN, "iban"),
    (Entity.VIN, "vin chassi chassis"),
    (Entity.LICENSE_PLATE, "placa placas plate plates tag emplacado emplacada"),
    (Entity.CEP, "cep zip"),
    (Entity.CREDIT_CARD, "cartão cartao cartões cartoes card cards visa mastercard amex crédito credito credit"),
    (
        Entity.PHONE,
        "tel telefone telefones telephone fone fones fixo celular celulares cel whatsapp whatsap whats zap phone "
        "phones cell mobile fax sms call calling text dial ring reach contact contato contatos ligar ligue liguem "
        "liga ligam chama chamar chamem telegram recado",
    ),
    (
        OTHER,
        "order pedido pedidos protocolo ticket invoice nf nfe os wo po part parts peça peca peças pecas cod cód "
        "código codigo códigos code codes ref referência referencia reference sku ean isbn barcode item serial "
        "série serie filter filters filtro filtros pad pads pastilha pastilhas disc discs disco discos vela velas "
        "correia belt tracking rastreio case claim chamado processo boleto catálogo catalogo catalog lote batch "
        "norma timestamp trace campaign tsb nota amortecedor oem upc gtin model models modelo",
    ),
)
_PHRASES: Final[tuple[tuple[str, str], ...]] = (
    (Entity.CPF, "tax id; pessoa física"),
    (Entity.CNPJ, "company registration; pessoa jurídica"),
    (
        Entity.CNH,
        "carteira motorista; driver license; driver licence; drivers license; drivers licence; driving licence",
    ),
    (Entity.SSN, "social security"),
    (Entity.VIN, "identification number"),
    (Entity.CEP, "postal code; código postal; zip code"),
    (
        Entity.PHONE,
        "my number; meu número; novo número; new number; old number; international number; número internacional",
    ),
    (
        OTHER,
        "placa vídeo; placa video; placas vídeo; placa circuito; placa motor; skid plate; clutch plate; back "
        "plate; plate holder; plate bracket; plate light; plate bulb; cartão fidelidade",
    ),
)
"""Two words, between which `de`, `do`, `da` and `'s` do not count."""

_KIND_OF_WORD: Final = {word: kind for kind, words in _WORDS for word in words.split()}
_KIND_OF_PHRASE: Final = {phrase: kind for kind, phrases in _PHRASES for phrase in phrases.split("; ")}
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]++")
_TOKEN = re.compile(r"(?<![^\W\d_])[^\W\d_]++|[\n!?]|\]|\d(?:[ .\-/]?\d){5}")
"""A word, or what ends the reach of the words before it: a masked value, a number of six digits. They spoke of that."""
_LISTED = re.compile(r"(?<![^\W_])[\d+(][\d .\-/_()]{4,}\d(?:,| ?[;/]| e| ou| and| or) ?$")
_LONGEST_LIST: Final = 4
_BARRIERS: Final = frozenset("]0123456789")
_MOST_BETWEEN: Final = 1
_LINKING_WORDS = "number no n nº num número numero is é the o a"
_LINKS: Final = frozenset(_LINKING_WORDS.split())
_TURNING_WORDS = "para pra do da to for of em na at my meu minha carro car vehicle"
_TURNS: Final = frozenset((*"\n!?", *_TURNING_WORDS.split()))
"""After these the text speaks of somebody again: "filtro do ABC-1234", "parts to 305-247-4956"."""
_ALSO_VERBS: Final = frozenset((Entity.PHONE, Entity.CREDIT_CARD))
_UNCOUNTED: Final = frozenset(("de", "do", "da", "s"))
_CLAUSE_END = re.compile(r"[,;.:\n\[]")


class Passage:
    """A plain text and what its words announce, worked out once for each place.

    `mentioned` holds every kind that is announced anywhere, `digits` counts them: enough to pass over most detectors.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.digits = len(_DIGIT.findall(text))
        self.mentioned = _mentioned(text)
        self._before: dict[int, str | None] = {}
        self._behind: dict[int, str | None] = {}

    def announced(self, start: int, end: int) -> str | None:
        """The kind of number that `text[start:end]` is said to be: an Entity, OTHER, or None when nothing is said."""
        if not self.mentioned:
            return None
        if start not in self._before:
            self._before[start] = self._announced_before(start)
        if self._before[start]:
            return self._before[start]
        if end not in self._behind:
            self._behind[end] = _announced_behind(self.text, end)
        return self._behind[end]

    def _announced_before(self, start: int) -> str | None:
        """What holds for a number holds for the next ones of its list: "fones 3456-7890, 3456-7891 e 3456-7892"."""
        for _ in range(_LONGEST_LIST):
            kind = _announced_before(self.text, start)
            previous = None if kind else _LISTED.search(self.text, max(0, start - _BEFORE), start)
            if previous is None:
                return kind
            start = previous.start()
        return None


def _mentioned(text: str) -> frozenset[str]:
    words = [word for word in _WORD.findall(text.lower()) if word not in _UNCOUNTED]
    kinds = {_KIND_OF_WORD[word] for word in words if word in _KIND_OF_WORD}
    kinds.update(kind for pair in pairwise(words) if (kind := _KIND_OF_PHRASE.get(" ".join(pair))))
    return frozenset(kinds)


def _announced_before(text: str, start: int) -> str | None:
    """The nearest kind; an impersonal word counts only right before the number, with at most a brand between them."""
    following, unknown, impersonal = "", 0, False
    for token in (*reversed(_TOKEN.findall(text, max(0, start - _BEFORE), start)), "]"):
        word = token.lower()
        phrase = _KIND_OF_PHRASE.get(f"{word} {following}")
        kind = phrase or _KIND_OF_WORD.get(following)
        if kind == OTHER:
            impersonal = impersonal or unknown <= _MOST_BETWEEN
        elif kind:
            return OTHER if impersonal and kind in _ALSO_VERBS else kind
        if token[0] in _BARRIERS:
            break
        if word in _TURNS:
            unknown += _MOST_BETWEEN + 1
        if word not in _UNCOUNTED:
            unknown += bool(following) and following not in _LINKS
            following = "" if phrase else word
    return OTHER if impersonal else None


def _announced_behind(text: str, end: int) -> str | None:
    """Only within the clause, and only a kind of personal data: "98765-4321 é meu celular"."""
    clause = _CLAUSE_END.split(text[end : end + _BEHIND], maxsplit=1)[0]
    for token in _TOKEN.findall(clause):
        kind = _KIND_OF_WORD.get(token.lower())
        if kind or not token[0].isalpha():
            return kind if kind != OTHER else None
    return None
