"""Visitors with addresses of their own: runs in the node's network, where 127.0.0.0/8 has room for many.

Read as JSON from the argument: port, host, authority (PEM), and how many logins the first visitor tries. Prints JSON.
"""

import http.client
import json
import socket
import ssl
import sys
import time

wish = json.loads(sys.argv[1])
trust = ssl.create_default_context(cadata=wish["authority"])


class Connection(http.client.HTTPSConnection):
    """To 127.0.0.1, by the name that the certificate has."""

    def connect(self) -> None:
        """From the visitor's own address."""
        plain = socket.create_connection(("127.0.0.1", wish["port"]), 10, self.source_address)  # type: ignore[attr-defined]
        self.sock = trust.wrap_socket(plain, server_hostname=wish["host"])


def visitor(address: str) -> Connection:
    """Someone at this address."""
    return Connection(wish["host"], wish["port"], source_address=(address, 0))


def login(who: Connection, **headers: str) -> int:
    """The status of a login without a body."""
    who.request("POST", "/api/v1/auth/login", "{}", {"Content-Type": "application/json", **headers})
    answer = who.getresponse()
    answer.read()
    return answer.status


first, second = visitor("127.0.0.2"), visitor("127.0.0.3")
begin = time.monotonic()
tries = [login(first) for _ in range(wish["tries"])]
seconds = time.monotonic() - begin
print(  # noqa: T201 - whoever started it reads this
    json.dumps(
        {
            "tries": tries,
            "seconds": seconds,
            "claims": login(first, **{"X-Forwarded-For": "127.0.0.3"}),
            "second": login(second),
        }
    )
)
