"""Which answers may be given to somebody else who asks the same, and how they are kept."""

import re
from typing import Final

from pydantic import TypeAdapter

from genai_app.agents.conversation import Answer

SHAREABLE_AGENTS: Final = frozenset({"specs", "troubleshoot"})
"""Agents that answer from the knowledge base alone; `maintenance` works on the customer's own records."""

_PERSONAL: Final = re.compile(
    r"""
      @                                    # an e-mail address
    | (?<!\d)\d(?:[\s().\-/]{0,2}\d){6,}   # seven digits: telephone, CPF, CNPJ, SSN, card
    | \b[A-HJ-NPR-Z0-9]{17}\b              # a vehicle identification number
    | \b[A-Z]{3}-?\d[A-Z0-9]\d{2}\b        # a Brazilian plate
    | \b(?:my\ name|meu\ nome)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Deliberately coarse: a question that is wrongly taken for personal costs a cache miss, nothing else."""


def may_be_looked_up(question: str) -> bool:
    """Whether a question is free of anything that looks personal, so that others may have asked it too."""
    return _PERSONAL.search(question) is None


def may_be_kept(answer: Answer, provider: str) -> bool:
    """Whether an answer rests on shared knowledge alone, found some, and is of the configured `provider`.

    The offline answer that stands in for a model that is away must not outlive the outage.
    """
    shareable = answer.agent in SHAREABLE_AGENTS and answer.provider == provider
    return shareable and bool(answer.sources) and _PERSONAL.search(answer.text) is None


def encode(answer: Answer) -> bytes:
    """The answer as JSON."""
    return _ANSWER.dump_json(answer)


def decode(kept: bytes) -> Answer | None:
    """The answer again; None when it was written by another version."""
    try:
        return _ANSWER.validate_json(kept)
    except ValueError:
        return None


_ANSWER: Final = TypeAdapter(Answer)
