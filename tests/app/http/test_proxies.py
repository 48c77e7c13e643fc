"""Whose address counts: what a trusted proxy wrote, and never what a caller claims."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope

from genai_app.http.proxies import TrustedProxies, address_of, caller
from genai_app.ratelimit import address_subject

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("192.0.2.1"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", " 203.0.113.9 "], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9", "10.9.9.9", "192.0.2.1"], "203.0.113.9"),
        ("10.0.0.1", ["10.1.1.1", "10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("10.0.0.1", ["2001:DB8:0::9"], "2001:db8::9"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1", "", "10.2.2.2"], "10.2.2.2"),
        ("fd00::1", ["1.1.1.1", "2001:db8::9"], "2001:db8::9"),
    ],
)
def test_the_rightmost_address_that_is_no_proxy_calls(peer: str, forwarded: list[str], found: str) -> None:
    assert caller(peer, forwarded, TRUSTED) == found


@given(claimed=st.lists(st.text(max_size=20) | st.ip_addresses().map(str), max_size=5))
def test_nothing_that_a_caller_claims_changes_whom_it_counts_for(claimed: list[str]) -> None:
    """Behind one proxy or two: what they append stands to the right of every claim."""
    assert caller("10.0.0.1", [*claimed, "203.0.113.9"], TRUSTED) == "203.0.113.9"
    assert caller("10.0.0.1", [*claimed, "203.0.113.9", "10.0.0.2"], TRUSTED) == "203.0.113.9"


@given(st.lists(st.text(max_size=30), max_size=5))
def test_whatever_is_sent_the_caller_is_an_address(forwarded: list[str]) -> None:
    assert address_of(caller("10.0.0.1", forwarded, TRUSTED)) is not None


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.4.5", "[::1", "a:b", "::g", "1.2.3.4, 5.6.7.8", "[]", "é"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert text == "[::1" or address_of(text) is None


@pytest.mark.parametrize(
    ("host", "subject"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_subscriber_is_one_subject(host: str, subject: str) -> None:
    assert address_subject(host) == subject


async def passed_on(kind: str, peer: tuple[str, int] | None, **headers: str) -> Scope:
    """The scope that the application gets."""
    scope: Scope = {
        "type": kind,
        "client": peer,
        "scheme": "ws" if kind == "websocket" else "http",
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()],
    }

    async def app(_: Scope, __: object, ___: object) -> None:
        return None

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None:
        return None

    await TrustedProxies(app, networks=TRUSTED)(scope, receive, send)
    return scope


@pytest.mark.parametrize(
    ("kind", "said", "scheme"),
    [
        ("http", "https", "https"), ("http", "http", "http"), ("http", "WSS", "https"), ("http", "gopher", "http"),
        ("http", "http, https", "https"), ("websocket", "https", "wss"), ("websocket", "http", "ws"),
    ],
)  # fmt: skip
async def test_the_scheme_is_what_the_nearest_proxy_saw(kind: str, said: str, scheme: str) -> None:
    assert (await passed_on(kind, ("10.0.0.1", 1), x_forwarded_proto=said))["scheme"] == scheme


@pytest.mark.parametrize("peer", [("203.0.113.1", 1), ("::1", 1), ("not an address", 1), None])
async def test_nobody_else_is_believed(peer: tuple[str, int] | None) -> None:
    scope = await passed_on("http", peer, x_forwarded_for="1.1.1.1", x_forwarded_proto="https")
    assert (scope["client"], scope["scheme"]) == (peer, "http")


async def test_a_proxy_on_a_socket_for_both_families_is_known() -> None:
    scope = await passed_on("websocket", ("::ffff:10.0.0.1", 1), x_forwarded_for="203.0.113.9")
    assert scope["client"] == ("203.0.113.9", 0)
