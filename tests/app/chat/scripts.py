"""Replies of the scripted model server that a chat's tests share."""

import asyncio

from tests.app.openai_stub import Reply, streamed

LONG = "The engine of the GenAuto X1 takes 4.2 litres of SAE 5W-30, fully synthetic, whenever it is changed."
"""Long enough for more than one token: agents look at how an answer begins before they show it."""


def hanging(*texts: str) -> Reply:
    """Some tokens, then nothing until the client leaves."""
    return streamed(*(texts or (f"{word} " for word in LONG.split())), finish=None, end=False, hangs=True)


def gated(gate: asyncio.Event, text: str = "The engine takes 5W-30.") -> Reply:
    """A whole answer, once the gate is open."""
    return streamed(text, gate=gate)
