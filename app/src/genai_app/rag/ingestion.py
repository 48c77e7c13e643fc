"""Bringing documents into the knowledge base: split, embed, replace; what did not change is left alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Final

import asyncpg

from genai_app.db import connection, transaction
from genai_app.errors import Invalid
from genai_app.rag import repository
from genai_app.rag.embedding import Embedder
from genai_app.rag.repository import EmbeddedPassage
from genai_app.rag.splitting import Passage, split

SEED_TYPES: Final = {
    "specs_genautox1_2024.md": "spec",
    "maintenance_guide_genautox1.md": "manual",
    "troubleshooting_guide.md": "troubleshoot",
    "features_guide_genautox1.md": "guide",
    "faq_genautox1.md": "faq",
    "safety_manual_genautox1.md": "manual",
}
"""The documents on the fictional GenAuto X1 that ship with this package, and their types."""

LONGEST_SOURCE: Final = 255
LONGEST_TYPE: Final = 100


@dataclass(frozen=True)
class Document:
    """A text with the name under which it is kept; a later document of the same `source` replaces it."""

    source: str
    text: str
    document_type: str = "manual"


@dataclass(frozen=True)
class IngestReport:
    """What happened, as names of sources, and how many passages were written."""

    new: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    passages: int


def seed_documents() -> tuple[Document, ...]:
    """The documents that ship with this package."""
    folder = resources.files("genai_app.rag").joinpath("seed")
    return tuple(
        Document(name, folder.joinpath(name).read_text(encoding="utf-8"), document_type)
        for name, document_type in SEED_TYPES.items()
    )


async def ingest_documents(pool: asyncpg.Pool, embedder: Embedder, documents: Iterable[Document]) -> IngestReport:
    """Store `documents`, each in its own transaction, so that an interrupted run loses only what it had not reached.

    Vectors are computed before the transaction begins. Raises Invalid for a document without a word or with an
    impossible name (before anything is stored), ModelDown, DatabaseDown.
    """
    wanted = {document.source: (document, _passages(document)) for document in documents}
    async with connection(pool) as reading:
        sources = await repository.stored_sources(reading)
        stored = await repository.stored_fingerprints(reading, provider=embedder.provider, model=embedder.model)
    changed = {
        source: (document, passages)
        for source, (document, passages) in wanted.items()
        if stored.get(source) != _fingerprint(document, passages)
    }
    for document, passages in changed.values():
        vectors = await embedder.embed_passages([passage.embedded_text for passage in passages])
        embedded = [EmbeddedPassage(*pair) for pair in zip(passages, vectors, strict=True)]
        async with transaction(pool) as writing:
            await repository.replace_source(
                writing,
                document.source,
                document.document_type,
                embedded,
                provider=embedder.provider,
                model=embedder.model,
            )
    return IngestReport(
        new=tuple(source for source in changed if source not in sources),
        replaced=tuple(source for source in changed if source in sources),
        unchanged=tuple(source for source in wanted if source not in changed),
        passages=sum(len(passages) for _, passages in changed.values()),
    )


def _passages(document: Document) -> tuple[Passage, ...]:
    if not 0 < len(document.source) <= LONGEST_SOURCE:
        raise Invalid(f"The name of a document has 1 to {LONGEST_SOURCE} characters.", field="/source")
    if not 0 < len(document.document_type) <= LONGEST_TYPE:
        raise Invalid(f"The type of a document has 1 to {LONGEST_TYPE} characters.", field="/document_type")
    passages = split(document.text.replace("\0", ""))
    if not passages:
        raise Invalid(f"{document.source} holds no text to index: add text below its headings.", field="/text")
    return passages


def _fingerprint(document: Document, passages: tuple[Passage, ...]) -> str:
    return repository.fingerprint(document.document_type, [repository.content_hash(passage) for passage in passages])
