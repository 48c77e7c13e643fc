"""What a WebSocket connection uses of its application, and how it gives an answer's frames away."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from genai_app.admission import Gate
from genai_app.auth.service import Accounts
from genai_app.chat.connections import Connections
from genai_app.chat.feedback import Opinions
from genai_app.chat.frames import Frame
from genai_app.chat.turn import Turns
from genai_app.metrics import Metrics

Send = Callable[[Frame], Awaitable[None]]


class SocketServices(Protocol):
    """The application's state, as far as it matters here."""

    accounts: Accounts
    connections: Connections
    gate: Gate
    metrics: Metrics
    opinions: Opinions
    turns: Turns
