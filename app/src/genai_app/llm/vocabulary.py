"""Words of a text as concepts that English and Portuguese share; pure.

The table `vocabulary.tsv` knows the words of cars: "correia dentada", "cambelt" and "timing belt" are one concept. A
word that the table does not know is a concept of its own, without its ending. It is what lets a Portuguese question
find and quote English manuals without a model.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal

Language = Literal["en", "pt"]

LONGEST_PHRASE: Final = 6
"""Words of the longest phrase that is looked up."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS: Final[dict[Language, frozenset[str]]] = {
    "en": _set(
        "a about after again all also am an and any are as at be been before being but by can could did do does doing "
        "done during each exactly few for from further get give go going got had has have having he her here him his "
        "how i if in into is it its itself just kind know let like long made make makes may me might mine much must my "
        "myself need needs no nor not now of often on once one only or other our out own per please recommended said "
        "same she should show so some still such take takes tell than that the their them then there these they thing "
        "this those through to too type until up us use used uses using very support supports "
        "supported blow blows blowing drive drives driving found want was way we were what where which "
        "while who whom whose why will with work works would you your hi hello thanks thank happens happen come comes "
        "between ok okay"
    ),
    "pt": _set(
        "a agora ai ainda algum alguma ao aos aquele aquilo as ate bom com como da das de dela dele deles depois desde "
        "deve devem devo diga do dos e ela elas ele eles em entao entre era essa esse esta estao este estou eu existe "
        "faco faz fazer fica ficam fiz foi funciona ha isso isto ja la lhe mais mas me mesmo meu meus minha minhas "
        "muito na nao nas nem no nos nossa nosso num numa o obrigado oi ola onde os ou para pela pelo per pode podem "
        "por porque posso precisa preciso pra qual quais que quem recomendada recomendado se sem ser seu seus so sobre "
        "sua suas tem tenho ter teu tipo tipos tu tua um uma umas uns usa usar uso usado vai voce voces vou partir "
        "dar dirigir dirijo rodar andar fui estava deu acontece favor usam vem caso"
    ),
}
SUBJECT: Final = _set("genauto x1 2024 car cars vehicle carro carros veiculo automovel suv")
"""What every question is about anyway: it distinguishes nothing."""

PROCEDURE: Final = "?procedure"
"""The cue of "how do I": it asks for instructions, not for a value."""

ACTIONS: Final = frozenset(
    {
        *("replace", "inspect", "start", "fit", "reset", "off", "on", "last", "rotate", "wash", "unlock", "fold"),
        *("pair", "available", "detected", "update", "turning", "lost", "void"),
    }
)
"""Concepts that are done to a thing: alone they do not say what a question is about."""

ANSWER_SHAPES: Final[dict[str, re.Pattern[str]]] = {
    "?interval": re.compile(r"\bevery\b|\d\s*(?:km|months?|years?)\b|\bafter\b.*\d", re.IGNORECASE),
    "?amount": re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b", re.IGNORECASE),
    "?duration": re.compile(r"\d\s*(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?)\b", re.IGNORECASE),
}
"""What a line must hold to answer a cue of the vocabulary."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[a-z][a-z0-9]*(?:/[a-z0-9]+)?")
_PORTUGUESE_LETTERS = re.compile(r"[áàâãéêíóôõúç]")
_THOUSANDS = re.compile(r"[.,](?=\d{3}\b)")


@dataclass(frozen=True)
class Vocabulary:
    """The table, ready to look things up.

    `phrases`: normalised words → concept; `english`: concept → its English phrases, for the full-text search;
    `own_words`: the words that only one of the languages has.
    """

    phrases: dict[tuple[str, ...], str]
    english: dict[str, tuple[tuple[str, ...], ...]]
    own_words: dict[Language, frozenset[str]]


@cache
def vocabulary() -> Vocabulary:
    """The table that ships with this package, read once. Raises ValueError when a phrase belongs to two concepts."""
    phrases: dict[tuple[str, ...], str] = {}
    english: dict[str, tuple[tuple[str, ...], ...]] = {}
    phrases_of: dict[Language, list[tuple[str, ...]]] = {"en": [], "pt": []}
    table = resources.files("genai_app.llm").joinpath("vocabulary.tsv").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        concept, *columns = line.split("\t")
        english_phrases, portuguese_phrases = (
            [tuple(words(phrase)) for phrase in column.split(", ") if phrase] for column in columns
        )
        english[concept] = tuple(english_phrases)
        phrases_of["en"] += english_phrases
        phrases_of["pt"] += portuguese_phrases
        for key in (*english_phrases, *portuguese_phrases):
            if phrases.setdefault(key, concept) != concept:
                raise ValueError(f"vocabulary.tsv: {' '.join(key)!r} is in {phrases[key]!r} and {concept!r}: keep one")
    both = {code: frozenset(word for phrase in phrases_of[code] for word in phrase) for code in phrases_of}
    own_words: dict[Language, frozenset[str]] = {"en": both["en"] - both["pt"], "pt": both["pt"] - both["en"]}
    return Vocabulary(phrases, english, own_words)


def words(text: str) -> list[str]:
    """Lower-case words and numbers without accents; `10,000` and `10.000` are both `10000`, hyphens separate words."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _WORD.findall(_THOUSANDS.sub("", plain))


def concepts(text: str) -> tuple[str, ...]:
    """The concepts of a text in order of appearance, each once; cues (`?interval`) among them."""
    known, found, tokens, at = vocabulary().phrases, dict[str, None](), words(text), 0
    while at < len(tokens):
        for length in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
            concept = known.get(tuple(tokens[at : at + length]))
            if concept is not None:
                found[concept] = None
                at += length
                break
        else:
            if not _says_nothing(tokens[at]):
                found[stem(tokens[at])] = None
            at += 1
    return tuple(found)


def things(found: Sequence[str]) -> tuple[str, ...]:
    """The concepts that a question can be about: neither cues nor actions."""
    return tuple(concept for concept in found if concept not in ACTIONS and not concept.startswith("?"))


def search_terms(found: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """English words and phrases to look for in the manuals, for concepts of either language; cues ask for nothing."""
    english = vocabulary().english
    return tuple(
        phrase
        for concept in found
        if not concept.startswith("?")
        for phrase in english.get(concept, (tuple(concept.split()),))
        if phrase
    )


def language(text: str) -> Language:
    """The language of a message, by its small words and the table's; English when nothing speaks for Portuguese."""
    tokens = words(text)
    english, portuguese = (
        sum(token in STOP_WORDS[code] or token in vocabulary().own_words[code] for token in tokens)
        for code in ("en", "pt")
    )
    accents = len(_PORTUGUESE_LETTERS.findall(text.lower()))
    return "pt" if portuguese + accents > english else "en"


def stem(word: str) -> str:
    """A word without the commonest endings: enough to join singular and plural, `reset` and `resetting`."""
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            return word.removesuffix(ending)
    return word


def _says_nothing(token: str) -> bool:
    return token in SUBJECT or any(token in stop_words for stop_words in STOP_WORDS.values())
