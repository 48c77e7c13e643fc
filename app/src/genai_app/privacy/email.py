"""E-mail addresses, also the ones written for people to read: `joao arroba gmail ponto com`.

A search from the at sign outwards: its cost does not depend on how long the words around it are.
"""

import re
from collections.abc import Iterator
from typing import Final

from genai_app.privacy.candidates import NOT_AFTER, Hit, Sureness
from genai_app.privacy.context import Passage
from genai_app.privacy.entities import Entity

_REACH_LEFT: Final = 160
"""Characters before the at sign that are looked at; a local part has at most 64."""

_PROVIDERS: Final = r"(?:gmail|hotmail|outlook|yahoo|icloud|uol|bol|terra|live|msn|globo|ig|proton(?:mail)?)\.[a-z]"
"""Before others, " @name.com" is a handle of a social network and " at name.com" a place to look."""
_AT = re.compile(
    rf"(?P<apart> @ |@ | @(?={_PROVIDERS}))|(?P<sign>@|%40)"
    r"|(?P<bracketed> ?[\[({<] ?(?:at|arroba|@) ?[\])}>] ?)|(?P<arroba> {1,3}arroba {1,3})|(?P<at> {1,3}at {1,3})",
    re.IGNORECASE,
)

_LABEL: Final = r"[^\W_][\w-]{0,62}+"
_SPOKEN_DOT: Final = r" ?[\[({<] ?(?:dot|ponto|\.) ?[\])}>] ?| {1,3}(?:dot|ponto) {1,3}"
_KNOWN_TOP_LEVEL: Final = (
    r"(?:com|org|net|edu|gov|mil|info|biz|dev|app|io|ai|co|me|tv|us|uk|br|pt|ar|mx|cl|uy|py|pe|ca|de|fr|es|it|nl|be|ch|at"
    r"|ie|pl|se|no|dk|fi|jp|cn|in|au|nz|za|eu|online|store|tech)"
)


def _domain(dot: str, top_level: str) -> re.Pattern[str]:
    return re.compile(rf"{_LABEL}(?:(?:{dot}){_LABEL}){{0,6}}(?:{dot}){top_level}{NOT_AFTER}", re.IGNORECASE)


_DOTTED = _domain(r"\.", r"[^\W\d_]{2,24}")
_ANY_DOT = _domain(rf"\.| \. |{_SPOKEN_DOT}", _KNOWN_TOP_LEVEL)
_ONLY_SPOKEN_DOT = _domain(_SPOKEN_DOT, _KNOWN_TOP_LEVEL)

_DOMAINS: Final = {
    "sign": (_DOTTED, _ANY_DOT),
    "apart": (_ANY_DOT,),
    "bracketed": (_ANY_DOT,),
    "arroba": (_ANY_DOT,),
    "at": (_ONLY_SPOKEN_DOT, re.compile(rf"(?={_PROVIDERS}){_DOTTED.pattern}", re.IGNORECASE)),
}

_NAME: Final = r"[\w.+'-]{1,64}"
_LOCAL_BACKWARDS = re.compile(_NAME)
_SPOKEN_LOCAL_BACKWARDS = re.compile(
    rf"{_NAME}(?:(?: \. | {{1,3}}(?:tod|otnop) {{1,3}}| ?[\])}}>] ?(?:tod|otnop|\.) ?[\[({{<] ?){_NAME}){{0,3}}",
    re.IGNORECASE,
)


def find(passage: Passage) -> Iterator[Hit]:
    text = passage.text
    for at in _AT.finditer(text):
        kind = at.lastgroup or "sign"
        domain = next(filter(None, (pattern.match(text, at.end()) for pattern in _DOMAINS[kind])), None)
        if domain is None:
            continue
        left = text[max(0, at.start() - _REACH_LEFT) : at.start()][::-1]
        local = (_LOCAL_BACKWARDS if kind == "sign" else _SPOKEN_LOCAL_BACKWARDS).match(left)
        name = local.group()[::-1].lstrip(".'-") if local else ""
        if name:
            yield Hit(at.start() - len(name), domain.end(), Entity.EMAIL, Sureness.CERTAIN)
