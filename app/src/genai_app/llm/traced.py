"""Traces what a model is asked and what it says; changes nothing."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from genai_app.llm.chat_model import ChatModel, ChatRequest, Delta, Done
from genai_app.tracing import step


class Traced(ChatModel):
    """`inner`, as a step of the turn that is being traced."""

    def __init__(self, inner: ChatModel) -> None:
        self.provider = inner.provider
        self.model = inner.model
        self._inner = inner

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """As `inner`."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        with step(self.model, "llm", messages=messages, temperature=request.temperature) as run:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Done):
                        completion = delta.completion
                        run.gives(
                            text=completion.text,
                            tool_calls=[call.name for call in completion.tool_calls],
                            input_tokens=completion.tokens_in,
                            output_tokens=completion.tokens_out,
                            finish_reason=completion.finish_reason,
                        )
                    yield delta
