"""Peer of P3: the least that a cached answer takes: FastAPI, PyJWT, one Redis GET, one INSERT, the reply."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from redis.asyncio import Redis

TABLE = "CREATE TABLE IF NOT EXISTS bench_exchanges (id bigserial PRIMARY KEY, owner text, question text, answer text)"
INSERT = "INSERT INTO bench_exchanges (owner, question, answer) VALUES ($1, $2, $3) RETURNING id"
KEY = "bench:answer:"


class Body(BaseModel):
    """A request."""

    message: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connections."""
    async with asyncpg.create_pool(os.environ["DATABASE"], min_size=10, max_size=10) as pool:
        await pool.execute(TABLE)
        app.state.pool = pool
        app.state.redis = Redis.from_url(os.environ["REDIS_URL"])
        yield
        await app.state.redis.aclose()


app = FastAPI(lifespan=lifespan)


async def owner(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    """Who asks."""
    try:
        claims = jwt.decode(
            credentials.credentials, os.environ["JWT_SECRET_KEY"], ["HS256"], options={"verify_aud": False}
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return str(claims["sub"])


@app.get("/ready")
async def ready() -> dict[str, bool]:
    """For whoever waits."""
    return {"ready": True}


@app.post("/chat")
async def chat(body: Body, who: Annotated[str, Depends(owner)]) -> dict[str, Any]:
    """One question whose answer is known."""
    kept = await app.state.redis.get(KEY + body.message)
    if kept is None:
        raise HTTPException(404)
    answer: dict[str, Any] = json.loads(kept)
    message_id = await app.state.pool.fetchval(INSERT, who, body.message, answer["response"])
    return {**answer, "message_id": str(message_id)}
