"""The start scripts that pods run instead of an image's entrypoint, read from this package."""

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """The text of one of the files in `files/`. Raises FileNotFoundError for a name that is none."""
    return (files("genai_operator.desired") / "files" / name).read_text(encoding="utf-8")
