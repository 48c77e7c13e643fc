"""Cuts a document into passages along its headings; each passage knows the path of headings that leads to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

LONGEST_PASSAGE: Final = 1000
"""Characters. About 250 tokens: half of what the smallest supported embedding model reads."""
OVERLAP: Final = 120
"""Characters that two pieces of one long section share, so that no sentence loses its neighbour."""
PATH_SEPARATOR: Final = " > "

_LEVELS: Final = [("#" * level, f"h{level}") for level in range(1, 5)]


@dataclass(frozen=True)
class Passage:
    """A piece of a document. `heading` is the path of its headings (`Title > Section`), empty when there is none."""

    heading: str
    text: str

    @property
    def embedded_text(self) -> str:
        """What is turned into a vector: a list without its heading ("replace the oil") says too little."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text


def split(text: str) -> tuple[Passage, ...]:
    """The passages of a Markdown or plain text in reading order; none for a text without a word."""
    return tuple(_passages(text))


def _passages(text: str) -> Iterable[Passage]:
    by_heading, by_length = _splitters()
    for section in by_heading.split_text(text):
        heading = PATH_SEPARATOR.join(section.metadata[key] for _, key in _LEVELS if key in section.metadata)
        lines = (line.rstrip() for line in section.page_content.splitlines())
        for piece in by_length.split_text("\n".join(lines)):
            yield Passage(heading, piece)


@cache
def _splitters() -> "tuple[MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter]":
    # Half a second of imports that only writers of the knowledge base need.
    from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

    return (
        MarkdownHeaderTextSplitter(_LEVELS),
        RecursiveCharacterTextSplitter(chunk_size=LONGEST_PASSAGE, chunk_overlap=OVERLAP),
    )
