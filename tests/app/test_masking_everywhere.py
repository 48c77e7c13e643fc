"""A process that is told personal data lets none of it out: not to its logs, Redis, metrics, desk, traces or model."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx2
import pytest
from redis.asyncio import Redis
from tests.app.conftest import Servers, environment
from tests.app.openai_stub import OpenAIStub, running_stub
from tests.app.recorder import Recorder, recording

from genai_app.rag.embedding import build_embedder
from genai_app.settings import Settings

pytestmark = pytest.mark.service

PLANTED = {
    "EMAIL": "ana.souza.1987@example.com",
    "PHONE": "+55 11 91234-5678",
    "CPF": "529.982.247-25",
    "CNPJ": "11.222.333/0001-81",
    "SSN": "078-05-1120",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "IBAN": "GB82 WEST 1234 5698 7654 32",
    "VIN": "1M8GDM9AXKP042788",
    "LICENSE_PLATE": "BRA2E19",
    "CEP": "01310-100",
}
SAID_SO = {
    "SSN": "my SSN is {}",
    "LICENSE_PLATE": "my plate is {}",
    "CEP": "CEP {}",
    "CREDIT_CARD": "card {}",
    "VIN": "VIN {}",
}
PERSON = "I want to speak to a human. My e-mail is {EMAIL}, CPF {CPF}, phone {PHONE}."


def traces_of(text: str) -> set[str]:
    """Planted values that can be read in a text, with or without their separators."""
    bare = "".join(character for character in text if character.isalnum()).lower()
    return {
        name
        for name, value in PLANTED.items()
        if value in text or "".join(c for c in value if c.isalnum()).lower() in bare
    }


@dataclass
class Process:
    """`genai-auto serve` and everything that it sends to."""

    client: httpx2.AsyncClient
    log: Path
    langsmith: Recorder
    collector: Recorder
    desk: Recorder
    model: OpenAIStub
    password: str = "correct horse"

    async def register(self) -> dict[str, str]:
        """The headers of an account whose address is planted, too."""
        account = {"email": PLANTED["EMAIL"], "password": self.password, "name": "Ana"}
        reply = await self.client.post("/api/v1/auth/register", json=account)
        assert reply.status_code == 201, reply.text
        return {"Authorization": f"Bearer {reply.json()['access_token']}"}

    async def say(self, headers: dict[str, str], message: str, **fields: Any) -> dict[str, Any]:
        reply = await self.client.post("/api/v1/chat", json={"message": message, **fields}, headers=headers)
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body


@asynccontextmanager
async def serving(servers: Servers, database: str, folder: Path) -> AsyncIterator[Process]:
    """A ready process; it has ended, and sent what waited, when the block is left."""
    accepted = json.dumps({"escalation_id": "T-1", "status": "queued"}).encode()
    async with (
        recording(202) as langsmith,
        recording() as collector,
        recording(200, accepted) as desk,
        running_stub() as model,
    ):
        model.text = f"Write to {PLANTED['EMAIL']}."
        variables = {
            **servers.variables,
            "POSTGRES_DB": database,
            "API_PORT": "0",
            "API_HOST": "127.0.0.1",
            "METRICS_PORT": "0",
            "LOG_LEVEL": "DEBUG",
            "LLM_PROVIDER": "openai-compatible",
            "OPENROUTER_BASE_URL": model.base_url,
            "EMBEDDING_PROVIDER": "packaged",
            "MASK_PII_IN_PROMPTS": "true",
            "HUMAN_SUPPORT_WEBHOOK": f"{desk.url}/handoffs",
            "HUMAN_SUPPORT_WEBHOOK_SECRET": "0123456789abcdef" * 4,
            "LANGCHAIN_TRACING_V2": "true",
            "LANGCHAIN_API_KEY": "key",
            "LANGCHAIN_ENDPOINT": langsmith.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        log = folder / "process.log"
        async with running(variables, log) as client:
            yield Process(client, log, langsmith, collector, desk, model)


@asynccontextmanager
async def running(variables: dict[str, str], log: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The process with its standard output and error in one file, and a client of it."""
    port = await free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "genai_app", "serve"),
            env=environment(**{**variables, "API_PORT": str(port)}),
            stdout=output,
            stderr=output,
        )
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                await ready(client, process)
                yield client
            process.terminate()
            assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def free_port() -> int:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def ready(client: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60):
        while process.returncode is None:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
    raise AssertionError(f"it ended with status {process.returncode}")


async def in_redis(redis: Redis) -> str:
    """Every key and everything under it, as text."""
    read: dict[bytes, Callable[[bytes], Any]] = {
        b"string": redis.get,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
    }
    keys = [key async for key in redis.scan_iter("*")]
    return "\n".join([f"{key!r} {await read[cast('bytes', await redis.type(key))](key)!r}" for key in keys])


async def test_no_planted_value_leaves_the_process(
    servers: Servers, database: str, redis: Redis, tmp_path: Path
) -> None:
    async with serving(servers, database, tmp_path) as process:
        headers = await process.register()
        said = []
        for name, value in PLANTED.items():
            told = SAID_SO.get(name, "I am {}").format(value)
            said.append(f"{told}. Which engine oil does the GenAuto X1 take?")
            await process.say(headers, said[-1], session_id="everything")
        await process.say(headers, "How many airbags does it have?")  # the model's reply is personal: not kept
        handed_over = await process.say(headers, PERSON.format(**PLANTED), session_id="everything")
        await misuse(process, headers)
        metrics = (await process.client.get("/api/v1/metrics")).text
        kept = await in_redis(redis)
        asked = json.dumps([request.json for request in process.model.requests], ensure_ascii=False)

    assert handed_over["handoff"] is not None
    emitted = {
        "logs": process.log.read_text(),
        "redis": kept,
        "metrics": metrics,
        "desk": process.desk.text,
        "langsmith": process.langsmith.text,
        "collector": process.collector.text,
        "model": asked,
    }
    assert {place: traces_of(text) for place, text in emitted.items() if traces_of(text)} == {}
    assert [place for place in ("langsmith", "collector", "model", "desk") if "[EMAIL]" not in emitted[place]] == []
    assert len(emitted["logs"].splitlines()) > len(PLANTED)
    stored = await messages(servers, database, "everything")
    assert stored == [*said, PERSON.format(**PLANTED)]


async def misuse(process: Process, headers: dict[str, str]) -> None:
    """Requests that fail, with planted values in every place that an error may repeat."""
    client = process.client
    await client.post("/api/v1/auth/login", json={"email": PLANTED["EMAIL"], "password": PLANTED["CPF"]})
    await client.post("/api/v1/auth/register", json={"email": PLANTED["EMAIL"], "password": "x", "name": ""})
    await client.post("/api/v1/chat", content=f'{{"message": "{PLANTED["CPF"]}', headers=headers)
    await client.post("/api/v1/chat", json={"message": 7, "customer_id": PLANTED["PHONE"]}, headers=headers)
    await client.get(f"/api/v1/chat/history/{PLANTED['EMAIL']}", headers=headers)
    await client.get(f"/nowhere/{PLANTED['EMAIL']}?cpf={PLANTED['CPF']}", headers={"X-Request-ID": "52998224725"})
    await process.say(headers, "Which colours are there?", session_id=PLANTED["CPF"])


async def messages(servers: Servers, database: str, session_id: str) -> list[str]:
    """What is stored of the customer's own words."""
    connection = await asyncpg.connect(servers.settings(database).database_dsn)
    try:
        rows = await connection.fetch(
            "SELECT m.content FROM messages m JOIN conversations c ON c.id = m.conversation_id "
            "WHERE c.session_id = $1 AND m.role = 'user' ORDER BY m.position",
            session_id,
        )
    finally:
        await connection.close()
    return [row["content"] for row in rows]


@pytest.mark.parametrize(("switch", "read"), [("true", "mail [EMAIL]"), ("false", f"mail {PLANTED['EMAIL']}")])
async def test_an_embedding_server_reads_what_models_may_read(switch: str, read: str) -> None:
    async with running_stub() as server, httpx2.AsyncClient(trust_env=False) as http:
        settings = Settings.from_environment(
            {
                "OPENROUTER_BASE_URL": server.base_url,
                "OPENROUTER_API_KEY": "key",
                "EMBEDDING_MODEL": "plain-model",
                "MASK_PII_IN_PROMPTS": switch,
            }
        )
        await build_embedder(settings, http).embed_query(f"mail {PLANTED['EMAIL']}")
    assert server.requests[0].json["input"] == [read]
