"""One look at whether a server answers, in this network or in the one that another process lives in."""

import ctypes
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

TIMEOUT = 3.0
CLONE_NEWNET = 0x40000000

T = TypeVar("T")


def answers(port: int) -> bool:
    """Whether a TLS server completes a handshake on 127.0.0.1:`port`: a mere accept could be a bridge to nowhere."""
    try:
        with _connect(port) as plain, _trusting().wrap_socket(plain):
            return True
    except OSError:
        return False


def http_ok(port: int, path: str, *, tls: bool, network_of: int | None) -> bool:
    """Whether GET `path` on 127.0.0.1:`port` answers 200; `network_of` is the pid whose network to dial in."""
    try:
        plain = _connect(port) if network_of is None else _elsewhere(network_of, lambda: _connect(port))
        with plain, _trusting().wrap_socket(plain) if tls else plain as stream:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            connection.sock = stream
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns exists from Python 3.12 on
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)


def _trusting() -> ssl.SSLContext:
    """For asking a local process about its health, not for secrets: some components sign their own certificates."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _elsewhere(pid: int, call: Callable[[], T]) -> T:
    """Run `call` in the network namespace of `pid`. A thread of its own does it: the change is a thread's, for good."""
    results: list[T] = []
    errors: list[OSError] = []

    def enter_and_call() -> None:
        try:
            with open(f"/proc/{pid}/ns/net", "rb") as namespace:  # noqa: PTH123 - a file descriptor is what is needed
                _set_namespace(namespace.fileno())
            results.append(call())
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=enter_and_call)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
