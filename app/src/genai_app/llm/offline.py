"""Answers without a model: the lines of the manuals that answer, quoted; or the plain statement that there are none.

It never pretends to be a model: what it says about itself is fixed text, what it says about cars is a quotation.
"""

from collections.abc import AsyncGenerator
from typing import Final

from genai_app.llm.chat_model import ChatModel, ChatRequest, Completion, Delta, Done, TextDelta
from genai_app.llm.extraction import Extract, extract
from genai_app.llm.vocabulary import Language, language

MODEL: Final = "extractive"

NOT_FOUND: Final[dict[Language, str]] = {
    "en": "I do not know: the manuals that I have do not answer this. Ask it in other words, or ask for a person.",
    "pt": "Não sei: os manuais que tenho não respondem a isso. Pergunte com outras palavras, ou peça uma pessoa.",
}
_QUOTING: Final[dict[Language, str]] = {
    "en": "The manuals say:",
    "pt": "Os manuais dizem (em inglês):",
}
_PART_MISSING: Final[dict[Language, str]] = {
    "en": "I did not find an answer to the other part of your question.",
    "pt": "Não encontrei resposta para a outra parte da sua pergunta.",
}


class OfflineModel(ChatModel):
    """The ChatModel of LLM_PROVIDER=offline, and what answers when a model fails. It never asks for a tool."""

    provider = "offline"
    model = MODEL

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Quote the evidence of `request`, line by line; about a millisecond, no network."""
        found = extract(request.question, request.topic, request.evidence)
        text = compose(found, language(request.question))
        for line in text.splitlines(keepends=True):
            yield TextDelta(line)
        yield Done(
            Completion(
                text=text,
                tokens_in=0,
                tokens_out=0,
                model=MODEL,
                answered=bool(found.lines),
                provider=self.provider,
            )
        )


def compose(found: Extract, code: Language) -> str:
    """The reply in the customer's language around the quoted lines."""
    if not found.lines:
        return NOT_FOUND[code]
    quoted = "\n".join(f"- {line}" for line in found.lines)
    ending = f"\n\n{_PART_MISSING[code]}" if found.missing_parts else ""
    return f"{_QUOTING[code]}\n{quoted}{ending}"
