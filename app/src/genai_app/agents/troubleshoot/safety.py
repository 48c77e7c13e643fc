"""The safety warning that comes before everything else; pure over the table `safety.yaml`."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from genai_app.agents.troubleshoot.tree import Text
from genai_app.llm.vocabulary import Language


@dataclass(frozen=True)
class Danger:
    """A safety word together with a fault or a danger."""

    name: str
    words: re.Pattern[str]
    faults: re.Pattern[str]
    never: re.Pattern[str] | None
    warning: Text

    def is_in(self, plain: str) -> bool:
        """Whether a text without accents speaks of this danger."""
        word = self.words.search(plain)
        return bool(word and self.faults.search(plain) and not (self.never and self.never.search(plain)))


def warning(message: str, language: Language) -> str | None:
    """What must be said first; None when the message speaks of no danger."""
    plain = _plain(message)
    danger = next((danger for danger in dangers() if danger.is_in(plain)), None)
    return danger.warning.of(language) if danger else None


@cache
def dangers() -> tuple[Danger, ...]:
    """The table, in its order. Raises ValueError for a broken one."""
    text = resources.files("genai_app.agents.troubleshoot").joinpath("safety.yaml").read_text("utf-8")
    return tuple(_danger(row) for row in yaml.safe_load(text))


def _danger(row: dict[str, Any]) -> Danger:
    return Danger(
        name=row["name"],
        words=_any_of(row["words"]),
        faults=_any_of(row["faults"]),
        never=_any_of(row["never"]) if row["never"] else None,
        warning=Text.model_validate(row["warning"]),
    )


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    """Any of the phrases, as whole words."""
    return re.compile(rf"\b(?:{'|'.join(re.escape(_plain(phrase)) for phrase in phrases)})\b")


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("n't", " not").replace("n’t", " not"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
