"""A model server on loopback that answers at once: embeddings and chat completions in OpenAI's wire format.

Run by `uvicorn genai_bench.model_server:app`. What it says is fixed, so that both sides of a comparison get the same.
"""

import hashlib
import json
import re
from collections import Counter
from typing import Any, Final

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

ANSWER: Final = (
    "The engine of the GenAuto X1 takes fully synthetic oil of the grade 5W-30. Have it changed every 10,000 "
    "kilometres or once a year, whichever comes first, and check the level every second time that you fill the tank."
)
USAGE: Final = {"prompt_tokens": 480, "completion_tokens": 52, "total_tokens": 532}
DIMENSION: Final = 768
_WORD: Final = re.compile(r"\w+")

asked: Counter[str] = Counter()
"""Requests by path, for `/asked`."""


async def chat(request: Request) -> Response:
    """A completion, streamed word by word when that is asked for."""
    asked["chat"] += 1
    body = await request.json()
    if not body.get("stream"):
        return JSONResponse(_completion(body["model"]))
    return StreamingResponse(_events(body["model"]), media_type="text/event-stream")


async def embeddings(request: Request) -> Response:
    """Vectors of length 1 that are near for texts with the same words."""
    asked["embeddings"] += 1
    body = await request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [{"object": "embedding", "index": index, "embedding": vector(text)} for index, text in enumerate(texts)]
    return JSONResponse({"object": "list", "data": rows, "model": body["model"], "usage": {"prompt_tokens": 9}})


async def count(_: Request) -> Response:
    """How often each was asked since the start."""
    return JSONResponse(dict(asked))


def vector(text: str) -> list[float]:
    """A bag of words, hashed."""
    found = np.zeros(DIMENSION)
    for word in _WORD.findall(text.lower()):
        found[int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) % DIMENSION] += 1
    length = float(np.linalg.norm(found)) or 1.0
    values: list[float] = np.round(found / length, 6).tolist()
    return values


def _completion(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {"id": "c1", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": USAGE}


async def _events(model: str) -> Any:
    words = re.findall(r"\S+\s*", ANSWER)
    for text in words:
        yield _event(model, [{"index": 0, "delta": {"content": text}, "finish_reason": None}])
    yield _event(model, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
    yield _event(model, [], usage=USAGE)
    yield "data: [DONE]\n\n"


def _event(model: str, choices: list[dict[str, Any]], **more: Any) -> str:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": model}
    return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n"


app = Starlette(
    routes=[
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
        Route("/asked", count),
    ]
)
