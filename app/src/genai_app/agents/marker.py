"""Holding back a model's "not in the manuals" from a stream, wherever a chunk ends; pure but for its buffer."""

from typing import Final

from genai_app.agents.profiles import NOT_IN_MANUALS

HELD_AT_FIRST: Final = len(NOT_IN_MANUALS) + 8
"""Characters that are waited for before anything is shown: room for quotes or a heading around the marker."""


class Held:
    """Feed it pieces of a reply; it gives what may be shown. `found` is True once the marker was seen."""

    def __init__(self) -> None:
        self.found = False
        self._waiting = ""
        self._showing = False

    def push(self, piece: str) -> str:
        """What may be shown now that `piece` has come."""
        self._waiting += piece
        if NOT_IN_MANUALS in self._waiting:
            self.found = True
            self._waiting = self._waiting.replace(NOT_IN_MANUALS, "") if self._showing else ""
        if self.found and not self._showing:
            self._waiting = ""
            return ""
        if not self._showing and len(self._waiting.lstrip()) < HELD_AT_FIRST:
            return ""
        return self._release(_beginning_of_marker(self._waiting))

    def rest(self) -> str:
        """What may be shown at the end of the reply."""
        return "" if self.found and not self._showing else self._release(0)

    def _release(self, kept: int) -> str:
        shown = self._waiting[: len(self._waiting) - kept]
        self._waiting = self._waiting[len(self._waiting) - kept :]
        if not self._showing:
            shown = shown.lstrip()
        self._showing = self._showing or bool(shown)
        return shown


def _beginning_of_marker(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of the marker."""
    lengths = range(min(len(NOT_IN_MANUALS) - 1, len(text)), 0, -1)
    return next((length for length in lengths if NOT_IN_MANUALS.startswith(text[-length:])), 0)
