"""The address that the service listens at: taken before anything is started, or refused in a sentence."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from foundation.errors import ClickloopError

_WAIT_FOR_PORT_S = 2.0
"""How long processes of a server that was killed may take to leave its port."""

_LOOK_AGAIN_S = 0.1


class CannotListen(ClickloopError):
    """The service cannot listen at its address."""


class AddressTaken(CannotListen):
    """The service's address is taken."""


def taken(host: str, port: int) -> AddressTaken:
    """Return the error that says who is in the way and what to do."""
    return AddressTaken(
        f"another process listens at {address(host, port)} already; end it, or choose another port with --port "
        "or CLICKLOOP_PORT (0 takes a free one)"
    )


def address(host: str, port: int) -> str:
    """Return the URL of a service that listens there; the address of IPv6 stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets that are bound to every address that `host` stands for; they do not listen yet.

    Raises:
        AddressTaken: Another process listens there, and does not end within 2 s.
        CannotListen: There is no such address on this machine, or no right to the port.
    """
    deadline = time.monotonic() + _WAIT_FOR_PORT_S
    while True:
        try:
            return _bind_all(host, port)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise CannotListen(f"{address(host, port)}: {problem.strerror or problem}") from problem
            if time.monotonic() > deadline:
                raise taken(host, port) from problem
        time.sleep(_LOOK_AGAIN_S)


def listens(bound: socket.socket) -> bool:
    """Return whether connections to a socket are taken: of two that are bound to one port, one listens."""
    return bound.fileno() >= 0 and bool(bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _bind_all(host: str, port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for family, place in _places(host):
            bound.append(socket.socket(family, socket.SOCK_STREAM))
            bound[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound[-1].bind((place[0], port, *place[2:]))
            port = bound[0].getsockname()[1]
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound


def _places(host: str) -> list[tuple[int, tuple[Any, ...]]]:
    """Return family and address of every address that a name stands for, all of the machine's for none."""
    found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((int(family), place) for family, _, _, _, place in found))
