"""What a symptom tree is, and the trees that ship: YAML files beside this module, checked when they are loaded."""

import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from genai_app.agents.conversation import Severity
from genai_app.llm.vocabulary import Language, concepts

TREES: Final = (
    "brake_issues",
    "smoke_smells_leaks",
    "overheating",
    "engine_warning_light",
    "starting_problems",
    "battery_electrical",
    "transmission",
    "tyres_vibration",
    "strange_noises",
    "air_conditioning",
)
"""The dangerous first: of two trees that fit a message equally well the first is walked."""
SCHEMA: Final = "tree.schema.json"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=40)]
Phrase = Annotated[str, Field(min_length=1, max_length=60)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """A text in both languages."""

    en: Annotated[str, Field(min_length=1, max_length=300)]
    pt: Annotated[str, Field(min_length=1, max_length=300)]

    def of(self, language: Language) -> str:
        """The text in one of them."""
        return self.pt if language == "pt" else self.en


class Ask(_Part):
    """A yes-or-no question and where each reply leads: to a question or a diagnosis of the same tree."""

    ask: Text
    said: tuple[Phrase, ...] = Field((), description="Phrases that answer yes before it is asked.")
    if_yes: Name
    if_no: Name
    if_unknown: Name | None = Field(None, description="Where “I do not know” leads; `if_no` when left out.")


class Diagnosis(_Part):
    """Where a tree ends."""

    severity: Severity
    requires_professional: bool
    warning: Text | None = Field(None, description="Said before anything else.")
    causes: Annotated[tuple[Text, ...], Field(min_length=1)]
    actions: Annotated[tuple[Text, ...], Field(min_length=1)]


class Tree(_Part):
    """A symptom, and how to find its cause."""

    name: Name
    title: Text
    sections: Annotated[tuple[Phrase, ...], Field(min_length=1, description="Of the manuals, which the tree restates.")]
    symptoms: Annotated[tuple[Phrase, ...], Field(min_length=1, description="Any of them begins this tree.")]
    never: tuple[Phrase, ...] = Field((), description="Any of them makes the message one about something else.")
    start: Name
    questions: Annotated[dict[Name, Ask], Field(min_length=1)]
    diagnoses: Annotated[dict[Name, Diagnosis], Field(min_length=1)]

    @model_validator(mode="after")
    def _every_walk_ends(self) -> Self:
        if both := self.questions.keys() & self.diagnoses.keys():
            raise ValueError(f"{self.name}: {sorted(both)} are questions and diagnoses: name them apart")
        met: set[str] = set()
        self._visit(self.start, (), met)
        if unreached := (self.questions.keys() | self.diagnoses.keys()) - met:
            raise ValueError(f"{self.name}: nothing leads to {sorted(unreached)}")
        return self

    def _visit(self, node: str, path: tuple[str, ...], met: set[str]) -> None:
        if node in path:
            raise ValueError(f"{self.name}: {' → '.join([*path, node])} goes round in circles")
        met.add(node)
        question = self.questions.get(node)
        if question is None and node not in self.diagnoses:
            raise ValueError(f"{self.name}: {path[-1] if path else 'start'} leads to {node!r}, which does not exist")
        for following in (question.if_yes, question.if_no, question.if_unknown) if question else ():
            if following is not None:
                self._visit(following, (*path, node), met)


@cache
def load_trees() -> dict[str, Tree]:
    """The trees by name, the dangerous first; read once, about 20 ms. Raises ValueError that says what is wrong."""
    return {name: _read(name) for name in TREES}


@cache
def phrase_concepts(phrase: str) -> frozenset[str]:
    """The concepts that a message must have for a phrase of a tree to fit it."""
    return frozenset(concepts(phrase))


def trees_version() -> str:
    """Differs when any text or branch of a tree does."""
    whole = "".join(tree.model_dump_json() for tree in load_trees().values())
    return hashlib.sha256(whole.encode()).hexdigest()


def schema() -> str:
    """The JSON schema of a tree file, as it is shipped beside the files."""
    return json.dumps(Tree.model_json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _read(name: str) -> Tree:
    text = resources.files("genai_app.agents.troubleshoot").joinpath("trees", f"{name}.yaml").read_text("utf-8")
    content: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    tree = Tree.model_validate(content)
    if tree.name != name:
        raise ValueError(f"{name}.yaml calls itself {tree.name!r}")
    return tree


if __name__ == "__main__":
    Path(__file__).with_name("trees").joinpath(SCHEMA).write_text(schema(), encoding="utf-8")
