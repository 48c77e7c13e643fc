"""Keeps what a model thinks out of what it says, whole or piece by piece; pure.

Servers mark reasoning with `<think>` tags in the text unless they put it into a field of its own. Some models begin to
think before their text begins: their text then holds a closing tag without an opening one.
"""

import re
from typing import Final

_BLOCK: Final = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_UNOPENED: Final = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_CLOSING: Final = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_BEGUN_TAG: Final = re.compile(r"<(?:/|/?t|/?th|/?thi|/?thin|/?think|/?thinki|/?thinkin|/?thinking)?\Z", re.IGNORECASE)
_LONGEST_TAG: Final = len("</thinking>")
_THINKS_FIRST: Final = re.compile(r"\br1|qwq|think|reason", re.IGNORECASE)


def without_reasoning(text: str) -> str:
    """What a model says to the customer: no `<think>` blocks, closed, cut off, or opened before the text began."""
    return _UNOPENED.sub("", _BLOCK.sub("", text)).strip()


def thinks_before_it_speaks(model: str) -> bool:
    """Whether a model of this name may begin its text in the middle of its reasoning."""
    return _THINKS_FIRST.search(model) is not None


class ReasoningFilter:
    """Lets through what is said, whatever the borders between pieces; neither leads nor ends with white space.

    `hold`: nothing until it is clear that the text did not begin inside the reasoning: a tag, `separated()` or the end
    make it clear.
    """

    def __init__(self, *, hold: bool = False) -> None:
        self._holding = hold
        self._thinking = False
        self._pending = ""
        self._searched = 0
        self._space = ""
        self._begun = False

    def separated(self) -> None:
        """The server gives the reasoning in a field of its own: the text is all said."""
        self._holding = False

    def feed(self, piece: str) -> str:
        """What may be shown after one more piece."""
        self._pending += piece
        said = ""
        while tag := (_CLOSING if self._thinking else _TAG).search(self._pending, self._searched):
            closes = self._thinking or tag[1] == "/"
            if not closes:
                said += self._pending[: tag.start()]
            self._pending = self._pending[tag.end() :]
            self._searched = 0
            self._thinking = not closes
            self._holding = False
        return self._shown(said + self._certain())

    def finish(self) -> str:
        """What is left to show at the end."""
        rest, self._pending = "" if self._thinking else self._pending, ""
        return self._shown(rest)

    def _certain(self) -> str:
        """Take from what is pending that which cannot be the beginning of a tag."""
        if self._thinking:
            self._pending = self._pending[1 - _LONGEST_TAG :]
            return ""
        if self._holding:
            self._searched = max(0, len(self._pending) + 1 - _LONGEST_TAG)
            return ""
        self._searched = 0
        begun = _BEGUN_TAG.search(self._pending)
        end = begun.start() if begun else len(self._pending)
        certain, self._pending = self._pending[:end], self._pending[end:]
        return certain

    def _shown(self, said: str) -> str:
        """`said` without white space at the very beginning; white space at its end waits for what follows it."""
        text = self._space + said
        if not self._begun:
            text = text.lstrip()
        shown = text.rstrip()
        self._space = text[len(shown) :]
        self._begun = self._begun or bool(shown)
        return shown
