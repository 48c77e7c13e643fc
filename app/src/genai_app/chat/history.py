"""Which of a session's earlier messages an agent gets to see."""

from genai_app.agents.conversation import HistoryMessage

MOST_MESSAGES = 20
MOST_TOKENS = 3000
CHARACTERS_PER_TOKEN = 4
"""Good enough to bound a prompt: the model server counts exactly, and its count goes into the metrics."""


def recent(messages: list[HistoryMessage]) -> tuple[HistoryMessage, ...]:
    """The longest tail of `messages` (oldest first) within both bounds."""
    kept: list[HistoryMessage] = []
    tokens = 0
    for message in reversed(messages[-MOST_MESSAGES:]):
        tokens += len(message.content) // CHARACTERS_PER_TOKEN + 1
        if tokens > MOST_TOKENS:
            break
        kept.append(message)
    return tuple(reversed(kept))
