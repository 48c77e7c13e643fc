"""Vectors of the texts that ship inside this package, computed once when the package is made.

The seed documents and the routing examples would cost 15 seconds of CPU at every first start. A text that was changed
is simply not found here and is embedded as any other; a test refuses a stale file, and
`python -m genai_app.agents.precompute` writes it.
"""

import hashlib
from functools import cache
from importlib import resources
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Role = Literal["query", "passage"]
Vector = NDArray[np.float32]

FILE: Final = "precomputed.npz"


@cache
def load() -> dict[bytes, Vector]:
    """`key` → vector, as the packaged model gave it."""
    with resources.files("genai_app.rag").joinpath(FILE).open("rb") as file, np.load(file) as arrays:
        keys, vectors = arrays["keys"], arrays["vectors"].astype(np.float32)
    return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}


def key(role: Role, text: str) -> bytes:
    """Names a text in its role: a model embeds a query and a passage differently."""
    return hashlib.sha256(f"{role}\0{text}".encode()).digest()
