"""Says once where the service answers, as soon as it does."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn

from foundation.telemetry import get_log

_LOOK_AGAIN_S = 0.1
_log = get_log("server")


class AnnouncedServer(uvicorn.Server):
    """A server that tells its address when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and tell the port that was free when any one was asked for."""
        await super().startup(sockets)
        if self.started:
            announce(self.config.host, self.servers[0].sockets[0].getsockname()[1])


def announce_when_it_answers(host: str, port: int) -> None:
    """Tell the address as soon as a process listens there; returns at once."""
    threading.Thread(target=_await_and_announce, args=(host, port), name="announcement", daemon=True).start()


def announce(host: str, port: int) -> None:
    """Tell where the service answers."""
    _log.info(f"clickloop answers at {address(host, port)}")


def address(host: str, port: int) -> str:
    """Return the URL of a service that listens there; the address of IPv6 stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _await_and_announce(host: str, port: int) -> None:
    while not _listens(host, port):
        time.sleep(_LOOK_AGAIN_S)
    announce(host, port)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
