"""MASK_PII_IN_PROMPTS: what a model gets to read holds no personal data."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from genai_app.llm.chat_model import ChatModel, ChatRequest, Delta, Evidence, Message
from genai_app.privacy import mask, mask_json


class MaskedPrompts(ChatModel):
    """`inner`, asked with every text masked. Its replies speak of `[PHONE]`; tools still know the customer by token."""

    def __init__(self, inner: ChatModel) -> None:
        self.provider = inner.provider
        self.model = inner.model
        self._inner = inner

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """As `inner`, of the masked request."""
        async with aclosing(self._inner.stream(masked(request))) as deltas:
            async for delta in deltas:
                yield delta


def masked(request: ChatRequest) -> ChatRequest:
    """The request with all its texts masked; pure."""
    return replace(
        request,
        messages=tuple(_masked(message) for message in request.messages),
        question=mask(request.question),
        topic=tuple(mask(concept) for concept in request.topic),
        evidence=tuple(Evidence(mask(item.heading), mask(item.text)) for item in request.evidence),
    )


def _masked(message: Message) -> Message:
    calls = tuple(replace(call, arguments=mask_json(call.arguments)) for call in message.tool_calls)
    return replace(message, content=mask(message.content), tool_calls=calls)
