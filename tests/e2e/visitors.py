"""Visitors with addresses of their own: runs in the node's network, where 127.0.0.0/8 has room for many.

Read as JSON from the argument: port, host, authority (PEM), and how many claims to make. Prints JSON, a list of what
happened in order: the first visitor logs in until refused, goes on with claims to be the second, and then the second
logs in until refused. Each is `statuses`, and the `seconds` that they took.
"""

import http.client
import json
import socket
import ssl
import sys
import time
from collections.abc import Iterable, Iterator

FIRST, SECOND = "127.0.0.2", "127.0.0.3"
ENOUGH = 200
CLAIM = {"X-Forwarded-For": SECOND, "X-Real-Ip": SECOND, "Forwarded": f"for={SECOND}"}

wish = json.loads(sys.argv[1])
trust = ssl.create_default_context(cadata=wish["authority"])


class Connection(http.client.HTTPSConnection):
    """To 127.0.0.1, by the name that the certificate has."""

    def connect(self) -> None:
        """From the visitor's own address."""
        plain = socket.create_connection(("127.0.0.1", wish["port"]), 10, self.source_address)  # type: ignore[attr-defined]
        self.sock = trust.wrap_socket(plain, server_hostname=wish["host"])


def visitor(address: str) -> Connection:
    """Someone at this address, who is connected already: the handshake is not part of a burst."""
    made = Connection(wish["host"], wish["port"], source_address=(address, 0))
    made.connect()
    return made


def login(who: Connection, **headers: str) -> int:
    """The status of a login without a body."""
    who.request("POST", "/api/v1/auth/login", "{}", {"Content-Type": "application/json", **headers})
    answer = who.getresponse()
    answer.read()
    return answer.status


def until_refused(who: Connection) -> Iterator[int]:
    """Statuses up to the first 429, which may not come when the limit is broken."""
    for _ in range(ENOUGH):
        yield (status := login(who))
        if status == http.client.TOO_MANY_REQUESTS:
            return


def timed(statuses: Iterable[int]) -> dict[str, object]:
    """Let them happen."""
    begin = time.monotonic()
    return {"statuses": list(statuses), "seconds": time.monotonic() - begin}


first, second = visitor(FIRST), visitor(SECOND)
happened = [
    timed(until_refused(first)),
    timed(login(first, **CLAIM) for _ in range(wish["claims"])),
    timed(until_refused(second)),
]
print(json.dumps(happened))  # noqa: T201 - whoever started it reads this
