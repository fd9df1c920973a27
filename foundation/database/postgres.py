"""Connections to PostgreSQL that never wait for ever, neither for a server that hangs nor for one that is gone.

While its server answers, a statement may take as long as it needs. Once a second a connection that waits asks the
server for a sign of life, over a socket of its own. Without one it gives up.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import event

from foundation.clock import monotonic_s

_ASK_EVERY_S = 1.0
_SIGN_OF_LIFE_S = 0.3
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Any server answers this with one byte, before anybody logs in."""

_PORT = "5432"
_CONNECT: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}

T = TypeVar("T")


class ServerSilent(psycopg.OperationalError):
    """The server gives no sign of life."""


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that gives up a server that hangs."""

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **more: Any) -> T:
        """Wait for a statement. See `psycopg.Connection.wait`."""
        try:
            return super().wait(_watched(gen, self.pgconn.host.decode(), self.pgconn.port.decode()), *args, **more)
        except ServerSilent:
            self.pgconn.finish()
            raise


def watch_connections(engine: sa.Engine) -> None:
    """Let an engine make connections of this kind; the limits that its URL names come first."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> WatchedConnection:
        _check_life(conninfo_to_dict(*arguments, **options))
        return WatchedConnection.connect(*arguments, **{**_CONNECT, **options})


def _check_life(options: Mapping[str, Any]) -> None:
    """Raise ServerSilent at once where a connection would wait in vain; of several servers, any may answer."""
    host, port = str(options.get("hostaddr") or options.get("host") or ""), str(options.get("port") or _PORT)
    if host and "," not in host and not gives_sign_of_life(host, port):
        raise ServerSilent(f"the server at {host}:{port} does not answer")


def gives_sign_of_life(host: str, port: str) -> bool:
    """Return whether a server answers; waits 0.3 s at most.

    Args:
        host: Its name or address, or the folder of its Unix socket.
    """
    local = host.startswith("/")
    try:
        with (
            socket.socket(socket.AF_UNIX)
            if local
            else socket.create_connection((host, int(port)), _SIGN_OF_LIFE_S) as asked
        ):
            asked.settimeout(_SIGN_OF_LIFE_S)
            if local:
                asked.connect(f"{host}/.s.PGSQL.{port}")
            asked.sendall(_SSL_REQUEST)
            return bool(asked.recv(1))
    except OSError:
        return False


def _watched(waiting: Generator[Any, Any, T], host: str, port: str) -> Generator[Any, Any, T]:
    """Pass on what a statement waits for, and end it when its server is silent."""
    ask_at_s = monotonic_s() + _ASK_EVERY_S
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if not ready and monotonic_s() >= ask_at_s:
                if not gives_sign_of_life(host, port):
                    raise ServerSilent(f"the server at {host}:{port} has not answered for {_ASK_EVERY_S:g} s")
                ask_at_s = monotonic_s() + _ASK_EVERY_S
            wanted = waiting.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result
