"""Whether two questions ask for the same answer: the words that decide it, before any vector is compared; pure.

Vectors alone cannot tell "front tyres" from "rear tyres": their cosine is as high as that of two wordings of one
question. So the words that decide an answer are taken out first, the subject, and only questions of one subject are
compared by vector, which then judges nothing but the wording.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from genai_app.llm.vocabulary import LONGEST_PHRASE, STOP_WORDS, SUBJECT, Language, language, stem, vocabulary, words

LONGEST: Final = 500
"""Characters. Nobody says more than this in the same way as somebody else."""


@dataclass(frozen=True)
class Subject:
    """All that a question says, without how it says it: two questions of equal subjects may share an answer.

    `known` are concepts, numbers and contrasts; `rest` are the words that no table knows, shortened. A word more or
    less makes another subject: "the warranty" and "the warranty in Chile" are a cosine of 0.92 apart, as paraphrases.
    """

    known: frozenset[str]
    rest: frozenset[str]
    language: Language

    @property
    def digest(self) -> str:
        """Names the subject, 24 hexadecimal digits; the words cannot be read from it."""
        text = "\x1f".join((self.language, *sorted(self.known), "", *sorted(self.rest)))
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


@lru_cache(maxsize=1024)
def subject(question: str) -> Subject | None:
    """What the question is about; None when no table knows any word of it, or it is long: nothing else resembles it."""
    if len(question) > LONGEST:
        return None
    code, known, rest = language(question), dict[str, None](), set[str]()
    negated = compared = False
    for token, concept in _tokens(question):
        contrast = _CONTRASTS[code].get(token) if " " not in token else None
        negated |= contrast == NOT
        compared |= token in _ORDERING[code]
        if contrast is not None:
            known[contrast] = None
        if concept is not None:
            name = _SAME_CONCEPT.get(concept, concept)
            bound = negated and not name.startswith("?") and name != "engine"
            known[f"{NOT} {name}" if bound else name] = None
            negated &= not bound
        elif contrast is None and {token, stem(token)}.isdisjoint(_SILENT[code]):
            rest.add(token if any(character.isdecimal() for character in token) else stem(token))
    decisive = known.keys() - _implied(known.keys())
    if decisive.isdisjoint(_OWNED):
        decisive.discard(OWN)
    if all(name.startswith(("?", "=")) for name in decisive):
        return None
    order = {"=" + ">".join(name for name in known if name in decisive)} if compared else set[str]()
    return Subject(frozenset(decisive | order), frozenset(rest), code)


def _tokens(question: str) -> Iterator[tuple[str, str | None]]:
    """Each word, or phrase of the vocabulary, with its concept; words that it does not know have None."""
    phrases, found, at = vocabulary().phrases, words(_joined(question)), 0
    while at < len(found):
        length = next(n for n in range(LONGEST_PHRASE, 0, -1) if n == 1 or tuple(found[at : at + n]) in phrases)
        phrase = found[at : at + length]
        yield " ".join(phrase), phrases.get(tuple(phrase))
        at += length


def _joined(question: str) -> str:
    """`isn't` as `is not`, `por que` in one word."""
    return _WHY.sub("porque", _NEGATED.sub(" not", question))


def _implied(known: Collection[str]) -> set[str]:
    return {name for names, implied in _IMPLIED if not names.isdisjoint(known) for name in implied}


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT: Final = "=not"
OWN: Final = "=own"
_NEGATED: Final = re.compile(r"(?:(?<=ca)|(?<=wo))n['’]t\b|n['’]t\b", re.IGNORECASE)
_WHY: Final = re.compile(r"\bpor qu[eê]\b", re.IGNORECASE)

_CONTRAST_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("=petrol", "petrol gasoline", "gasolina"),
    ("=left", "left", "esquerda esquerdo"),
    ("=right", "right", "direita direito"),
    ("front", "ahead", "frente"),
    ("rear", "behind", "atras tras"),
    ("=driver", "driver drivers", "motorista"),
    ("=adult", "adult adults", "adulto adultos"),
    ("=open", "open opens opening", "abrir abre abro abrindo"),
    ("=close", "close closes closing", "fechar fecha fecho fechando"),
    ("=lock", "lock locks locking", "trancar tranco tranca travar travamento"),
    ("=unlock", "unlock unlocks unlocking", "destrancar destranco destranca destravar destravamento"),
    ("=least", "minimum lowest least min", "minimo minima min"),
    ("=most", "maximum highest most max until up", "maximo maxima max ate"),
    ("=before", "before", "antes"),
    ("=after", "after", "apos depois"),
    ("=first", "first", "primeira primeiro"),
    ("=summer", "summer", "verao"),
    ("=wet", "wet rain", "molhado molhada chuva"),
    ("=dry", "dry", "seco seca"),
    ("=where", "where", "onde"),
    ("=who", "who", "quem"),
    ("=why", "why reason", "porque motivo"),
    (NOT, "not no without never cannot", "nao sem nunca"),
    (OWN, "my mine our", "meu minha meus minhas nosso nossa"),
    ("?duration", "duration years months hours", "duracao anos meses horas"),
)
"""Words that the vocabulary takes for one, or for none, because it serves the search; each makes another question."""

_CONTRASTS: Final[dict[Language, dict[str, str]]] = {
    "en": {word: name for name, english, _ in _CONTRAST_WORDS for word in english.split()},
    "pt": {word: name for name, _, portuguese in _CONTRAST_WORDS for word in portuguese.split()},
}

_OWNED: Final = _set("service appointment warranty reminder registration price")
"""What is somebody's own: "my service" is in the records, "the service" is in the manual, "my brakes" are brakes."""

_ORDERING: Final[dict[Language, frozenset[str]]] = {
    "en": _set("than instead versus into"),
    "pt": _set("mais menos inves vez"),
}
"""With one of these it matters what comes first: "petrol instead of ethanol"."""

_FILLERS: Final[dict[Language, frozenset[str]]] = {
    "en": _set("ca wo when mean means system goes working required necessary offered part include included"),
    "pt": _set(
        "quando significa quer dizer sistema sao mede dou funcionar funcionando necessaria necessario "
        "oferecido oferecida parte inclui fazem"
    ),
}
_SILENT: Final = {code: SUBJECT | STOP_WORDS[code] | fillers for code, fillers in _FILLERS.items()}
"""Words that ask and do not tell. The search has its own stop words, for its own reasons; `_FILLERS` add to them."""

_SAME_CONCEPT: Final = {"size": "?amount", "last": "?duration"}
"""Other ways to ask for a kind of value: "the size of the boot", "how big is the boot"."""

_QUANTITIES: Final = _set(
    "pressure consumption power torque acceleration speed displacement length width height wheelbase weight payload "
    "range price octane temperature depth"
) | {"top speed", "ground clearance"}

_IMPLIED: Final[tuple[tuple[frozenset[str], frozenset[str]], ...]] = (
    (_QUANTITIES | {"?duration"}, frozenset({"?amount"})),
    (_set("start power torque oil clicking") | {"remote start", f"{NOT} start"}, frozenset({"engine"})),
    (_set("=petrol ethanol consumption tank"), frozenset({"fuel"})),
    (_set("jump-start"), frozenset({"battery"})),
    (_set("=left =right =driver passenger"), frozenset({"side"})),
    (_set("colour"), frozenset({"available"})),
    (_set("?duration"), frozenset({"last"})),
)
"""Where one of the first is, the second says nothing more: whoever asks for a weight asks for an amount."""
