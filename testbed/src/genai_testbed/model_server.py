"""A language model for tests on a cluster: OpenAI's wire format, and replies by rules instead of a mind.

Runs as a file in a pod (`python3 model_server.py RULES.json PORT`), so it needs nothing but Python. A rule answers when
every pattern that it has is found:

    {"task": pattern in the system message, "role": the last message's, "last": pattern in the last message,
     "say": text, "call": {tool: arguments}, "waits": true}

The first rule that fits counts; `say` and the arguments may name groups of `last` (`\\g<day>`). A stream that `waits`
shows its first half and then stands still while the gate is shut. What no rule answers is an error 400: a test then
sees an answer that is not the model's. Beside the API: `PUT /gate` with `true` or `false`, and `GET /asked`, the last
message of every chat request so far.
"""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DIMENSION = 768
LONGEST_WAIT = 60.0
"""Seconds that a stream stands still at most: a test that failed leaves nothing behind."""


class NoRule(Exception):
    """Nothing was scripted for this request."""


@dataclass(frozen=True)
class Reply:
    """What the model says, the tools that it calls, and whether it stands still in the middle."""

    text: str
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    waits: bool = False

    @property
    def finish_reason(self) -> str:
        """In OpenAI's words."""
        return "tool_calls" if self.calls else "stop"


@dataclass
class Script:
    """The rules, what was asked so far, and the gate."""

    rules: Sequence[Mapping[str, Any]]
    asked: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def reply(self, messages: Sequence[Mapping[str, Any]]) -> Reply:
        """What the first rule that fits says. Raises NoRule."""
        task, last = str(messages[0]["content"]), messages[-1]
        self.asked.append(str(last["content"]))
        for rule in self.rules:
            found = re.search(rule.get("last", ""), str(last["content"]), re.IGNORECASE | re.DOTALL)
            if found and rule.get("role", "user") == last["role"] and re.search(rule.get("task", ""), task):
                calls = ((tool, filled(arguments, found)) for tool, arguments in rule.get("call", {}).items())
                return Reply(found.expand(rule.get("say", "")), tuple(calls), rule.get("waits", False))
        raise NoRule(f"no rule answers the {last['role']}'s {last['content']!r}")


def filled(arguments: Mapping[str, str], found: re.Match[str]) -> dict[str, str]:
    """The arguments with the groups of `found` in their places."""
    return {name: found.expand(value) for name, value in arguments.items()}


def whole(reply: Reply) -> dict[str, Any]:
    """A reply that is not streamed."""
    message = {"role": "assistant", "content": reply.text, "tool_calls": _calls(reply)}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    return {"model": "scripted", "choices": [choice], "usage": usage(reply)}


def pieces(reply: Reply) -> Iterator[dict[str, Any]]:
    """A reply word by word, then its tool calls, why it ends, and what it took."""
    for word in re.findall(r"\S+\s*", reply.text):
        yield _event({"content": word})
    if reply.calls:
        yield _event({"tool_calls": _calls(reply)})
    yield _event({}, reply.finish_reason)
    yield {"model": "scripted", "choices": [], "usage": usage(reply)}


def usage(reply: Reply) -> dict[str, Any]:
    """Tokens, as good as counted; the money is none."""
    return {"prompt_tokens": 100, "completion_tokens": len(reply.text.split()) + 1, "cost": 0}


def vector(text: str) -> list[float]:
    """Texts that share words have near vectors."""
    values = [0.0] * DIMENSION
    for word in re.findall(r"\w+", text.lower()):
        values[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % DIMENSION] += 1.0
    return values


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for index, (name, arguments) in enumerate(reply.calls)
    ]


def _event(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"model": "scripted", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def handler(script: Script) -> type[BaseHTTPRequestHandler]:
    """The HTTP side of a script."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(script.asked if self.path == "/asked" else "ready")

        def do_PUT(self) -> None:
            (script.gate.set if self._body() else script.gate.clear)()
            self._send(script.gate.is_set())

        def do_POST(self) -> None:
            body = self._body()
            if self.path.endswith("/embeddings"):
                rows = [{"index": index, "embedding": vector(text)} for index, text in enumerate(body["input"])]
                self._send({"model": body["model"], "data": rows})
                return
            try:
                reply = script.reply(body["messages"])
            except NoRule as error:
                self._send({"error": {"message": str(error)}}, 400)
                return
            if body.get("stream"):
                self._stream(reply)
            else:
                self._send(whole(reply))

        def _body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def _send(self, value: Any, status: int = 200) -> None:
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _stream(self, reply: Reply) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            events = [f"data: {json.dumps(piece)}\n\n" for piece in pieces(reply)]
            middle = len(events) // 2 if reply.waits else len(events)
            try:
                self._chunks(events[:middle])
                if reply.waits:
                    script.gate.wait(LONGEST_WAIT)
                self._chunks([*events[middle:], "data: [DONE]\n\n", ""])
            except ConnectionError:  # the client has left: some tests make it
                self.close_connection = True

        def _chunks(self, texts: Sequence[str]) -> None:
            for text in texts:
                self.wfile.write(f"{len(text.encode()):x}\r\n{text}\r\n".encode())

    return Handler


def main(rules: Path, port: int) -> None:
    """Serve for ever; the gate is open."""
    script = Script(json.loads(rules.read_text()))
    script.gate.set()
    ThreadingHTTPServer(("0.0.0.0", port), handler(script)).serve_forever()  # noqa: S104 - a pod's own network


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
