"""A service in a process of its own, for the demo."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from foundation.clock import SystemClock
from foundation.errors import ClickloopError
from foundation.http_client import ServiceClient
from foundation.processes.children import end_children, start_child

_READY_TIMEOUT_S = 180.0


class BackgroundService:
    """`clickloop serve` on a free port, with an accelerated clock and an empty database.

    Its home keeps vectors and encoder between runs; database and artifacts are new.

    Args:
        settings: Variables of the environment that differ from the demo's.
    """

    def __init__(self, home: Path, clock_speed: float, settings: Mapping[str, str] | None = None) -> None:
        self._settings = dict(settings or {})
        self._home = home
        self._clock_speed = clock_speed
        self._process: subprocess.Popen[bytes] | None = None
        self.log_path = home / "serve.log"
        self.url = f"http://127.0.0.1:{free_port()}"

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            ClickloopError: It ended instead; the message holds the end of its log.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        for stale in self._home.glob("clickloop*.db*"):
            stale.unlink()
        with self.log_path.open("wb") as log:
            self._process = start_child(
                "clickloop",
                *("serve", "--port", self.url.rsplit(":", 1)[1]),
                environment=os.environ | self._environment(),
                stdout=log,
                stderr=log,
            )
        try:
            ServiceClient(self.url).await_ready(_READY_TIMEOUT_S, self._check)
        except ClickloopError:
            self.stop()
            raise

    def wait(self) -> None:
        """Wait until it ends or the user interrupts."""
        if self._process:
            self._process.wait()

    def stop(self) -> None:
        """Ask it to end; kill it when it does not within 20 s."""
        if self._process is not None:
            end_children(self._process)
        self._process = None

    def _check(self) -> None:
        if self._process and self._process.poll() is not None:
            tail = self.log_path.read_text(errors="replace")[-2000:]
            raise ClickloopError(f"the service ended with status {self._process.returncode}:\n{tail}")

    def _environment(self) -> dict[str, str]:
        return {
            "CLICKLOOP_HOME": str(self._home),
            "CLICKLOOP_HOST": "127.0.0.1",
            "CLICKLOOP_REQUIRE_KEYS": "false",
            "CLICKLOOP_PUBLIC_HOSTS": "",
            "CLICKLOOP_CLOCK_SPEED": str(self._clock_speed),
            "CLICKLOOP_CLOCK_ORIGIN": SystemClock().now().isoformat(),
            "CLICKLOOP_PROOF": "interleaving",
            "CLICKLOOP_EXPERIMENT_SEARCHES": "5000",
            "CLICKLOOP_EXPERIMENT_COVERAGE": "1",
            "CLICKLOOP_FALSE_PROMOTIONS_A_YEAR": "9",
            "CLICKLOOP_EXPERIMENT_DAYS": "14",
            "CLICKLOOP_LATENESS_DAYS": "60",
        } | self._settings


def free_port() -> int:
    """Return a port of the loopback interface on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
