"""Conversations over WebSocket with one instance, by way of any of its pods, as a chat page has them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from genai_testbed.instance import Instance

Frame = dict[str, Any]
SECONDS = 60.0
"""How long a frame may take: two busy cores and a pod that is starting are slow."""


class Refused(Exception):
    """A turn ended with an error, or the server closed the connection where a frame was expected."""


@dataclass(frozen=True)
class Turn:
    """One answered message: its `progress` and `token` frames in order, and its `complete`."""

    frames: tuple[Frame, ...]
    complete: Frame

    @property
    def response(self) -> str:
        """The answer."""
        text: str = self.complete["response"]
        return text

    @property
    def tokens(self) -> list[str]:
        """The pieces in which it came."""
        return [frame["token"] for frame in self.frames if frame["type"] == "token"]

    @property
    def steps(self) -> list[str]:
        """What was said to be going on, in order."""
        return [frame["step"] for frame in self.frames if frame["type"] == "progress"]


@dataclass(frozen=True)
class Chat:
    """An open, authenticated connection for one session."""

    wire: ClientConnection

    def say(self, message: str, **fields: Any) -> Turn:
        """A whole turn. Raises Refused."""
        self.send(message, **fields)
        return self.rest()

    def send(self, message: str, **fields: Any) -> None:
        """A message whose answer is read later."""
        self.wire.send(json.dumps({"type": "message", "message": message, **fields}))

    def rest(self) -> Turn:
        """The turn from here to its end. Raises Refused."""
        frames: list[Frame] = []
        while (frame := self.next())["type"] != "complete":
            if frame["type"] == "error":
                raise Refused(f"{frame['problem']}")
            frames.append(frame)
        return Turn(tuple(frames), frame)

    def first_token(self) -> str:
        """The first piece of the answer that is being written, once it comes. Raises Refused."""
        while (frame := self.next())["type"] == "progress":
            continue
        if frame["type"] != "token":
            raise Refused(f"{frame}")
        token: str = frame["token"]
        return token

    def next(self) -> Frame:
        """The next frame. Raises Refused when there is none any more, TimeoutError."""
        try:
            frame: Frame = json.loads(self.wire.recv(timeout=SECONDS))
        except ConnectionClosed as closed:
            raise Refused(f"the connection was closed: {closed}") from closed
        return frame

    def closing_code(self) -> int | None:
        """The code with which the server closes, once it does; None: it vanished. Raises TimeoutError."""
        try:
            while True:
                self.wire.recv(timeout=SECONDS)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@contextmanager
def connected(instance: Instance, token: str, session: str, target: str | None = None) -> Iterator[Chat]:
    """A connection to the API's Service or to one `pod/NAME`. Raises Refused when the login is not accepted."""
    with (
        instance.kubectl.forwarded(target or f"svc/{instance.name}-api", 8000) as port,
        connect(
            f"ws://127.0.0.1:{port}/ws/{session}",
            proxy=None,
            subprotocols=[Subprotocol("bearer"), Subprotocol(token)],
            open_timeout=SECONDS,
            close_timeout=5,
        ) as wire,
    ):
        chat = Chat(wire)
        greeting = chat.next()
        if greeting["type"] != "auth_success":
            raise Refused(f"{greeting}")
        yield chat


def access_token(instance: Instance) -> str:
    """A fresh access token of the instance's user."""
    with instance.conversation() as talk:
        return talk.client.headers["Authorization"].removeprefix("Bearer ")
