"""The first conversation: an account, one question, an answer with its source, over the public API alone."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx2

QUESTION = "Which engine oil does the GenAuto X1 take, and how often is it changed?"


@dataclass(frozen=True)
class FirstAnswer:
    """What a new user has after the tour: credentials that work, and the reply to the question."""

    email: str
    password: str
    reply: dict[str, Any]


def first_conversation(url: str, question: str = QUESTION) -> FirstAnswer:
    """Register a user at the API under `url` and ask. Raises httpx2.HTTPStatusError when the API refuses."""
    email, password = f"driver-{secrets.token_hex(3)}@example.com", secrets.token_urlsafe(12)
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        account = client.post("/api/v1/auth/register", json={"email": email, "password": password, "name": "Driver"})
        token = account.raise_for_status().json()["access_token"]
        reply = client.post("/api/v1/chat", json={"message": question}, headers={"Authorization": f"Bearer {token}"})
        return FirstAnswer(email, password, reply.raise_for_status().json())
