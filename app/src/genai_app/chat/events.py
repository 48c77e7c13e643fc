"""What happens in a turn, in this order, whatever the transport:

    Progress("starting")  →  Progress("generating")  →  Complete

`Progress("generating")` is left out when the answer comes from the cache. `Complete` comes exactly once, last, and both
messages are stored by then. A turn that fails raises an error of the tree instead; nothing of it is then stored.
REST folds the events into one reply; streaming transports forward them.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from genai_app.agents.conversation import Answer


@dataclass(frozen=True)
class Progress:
    """A step begins now."""

    step: Literal["starting", "generating"]


@dataclass(frozen=True)
class Complete:
    """The stored answer; `message_id` is the assistant's message, `cached`: an equal question got it before."""

    answer: Answer
    session_id: str
    message_id: UUID
    cached: bool


Event = Progress | Complete
