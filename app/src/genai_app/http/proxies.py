"""Who really calls when proxies stand in between, as plain ASGI: believed is only what a trusted proxy wrote.

Every proxy appends the address that it saw to X-Forwarded-For. Read from the right, the first address that is not a
trusted proxy's is the caller's; everything to the left of it is what that caller claims.
"""

import functools
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDING_HEADERS: Final = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})
"""A request that carries one of these came through a proxy, trusted or not."""
LONGEST_ADDRESS: Final = 64
"""Characters; an IPv6 address with its brackets and port has 53."""
REMEMBERED_ADDRESSES: Final = 4096
"""Reading one costs as much as a small middleware, and the same ones come again and again."""


class TrustedProxies:
    """Puts the caller's address and scheme in place of those of the nearest proxy, for `app`.

    Without trusted `networks`, or for any other peer, the headers count for nothing.
    """

    def __init__(self, app: ASGIApp, *, networks: Sequence[Network]) -> None:
        self._app = app
        self._networks = tuple(networks)
        self._is_trusted_peer = functools.lru_cache(REMEMBERED_ADDRESSES)(self._is_trusted_text)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get("client")
        if peer is not None and self._is_trusted_peer(peer[0]):
            self._believe(scope, peer[0])
        await self._app(scope, receive, send)

    def _believe(self, scope: Scope, peer: str) -> None:
        forwarded: list[str] = []
        scheme = ""
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                forwarded += value.decode("latin-1").split(",")
            elif name == b"x-forwarded-proto":
                scheme = value.decode("latin-1").rpartition(",")[2].strip().lower()
        scope["client"] = (caller(peer, forwarded, self._networks), 0)
        if scheme in {"http", "https", "ws", "wss"}:
            secure = scheme in {"https", "wss"}
            plain = "ws" if scope["type"] == "websocket" else "http"
            scope["scheme"] = plain + "s" * secure

    def _is_trusted_text(self, host: str) -> bool:
        address = address_of(host)
        return address is not None and is_within(address, self._networks)


def caller(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The caller's address: `peer` is a trusted proxy's, `forwarded` the entries of X-Forwarded-For in their order.

    An entry that is no address ends the search at the proxy that wrote it: nobody chooses text that becomes a key.
    """
    found = peer
    for entry in reversed(forwarded):
        address = address_of(entry)
        if address is None:
            return found
        found = str(address)
        if not is_within(address, trusted):
            return found
    return found


def address_of(text: str) -> Address | None:
    """The address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; None for anything else.

    An IPv4 address inside IPv6, as a socket that takes both gives it, is the IPv4 address.
    """
    return _parsed(text.strip()) if len(text) <= LONGEST_ADDRESS else None


@functools.lru_cache(REMEMBERED_ADDRESSES)
def _parsed(host: str) -> Address | None:
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address in network for network in networks)


def came_through_a_proxy(scope: Scope) -> bool:
    """Whether any proxy passed this request on; whoever says so without one only hurts themselves."""
    return any(name in FORWARDING_HEADERS for name, _ in scope["headers"])
