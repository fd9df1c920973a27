"""Nothing that a server started outlives it, and a second server on its port says so."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.harness.server import Server, children
from foundation.settings import Settings

TIMEOUT_S = 60.0
SECONDS = 5.0
"""Within which everything is gone that a killed server had started."""


def wait_until(holds: Callable[[], bool], what: str, seconds: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def alive(processes: set[int]) -> dict[int, str]:
    """Return those of some processes that run, with their command lines."""
    return {one: Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ") for one in processes if runs(one)}


def descendants(process: int) -> set[int]:
    """Return all processes that a process, or one of these, started."""
    found = set(children(process))
    return found.union(*(descendants(child) for child in found))


def serve_again(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start another server at the address of one, over the same home."""
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "clickloop", "serve", *arguments],
        env=os.environ | server.settings.to_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_the_workers_of_a_killed_server_end_with_it_and_a_second_one_says_that_the_port_is_taken(
    home_settings: Settings,
) -> None:
    with Server(home_settings, ["--workers", "2"]) as server:
        wait_until(lambda: len(children(server.process_id)) >= 3, "two workers and the process beside them")
        started = descendants(server.process_id)

        second = serve_again(server, "--workers", "2")
        assert second.returncode == 1, second.stderr
        assert f"another process listens at {server.url} already" in " ".join(second.stderr.split())
        assert "answers at" not in second.stderr
        assert "Traceback" not in second.stderr

        server.kill()
        wait_until(lambda: not any(map(runs, started)), "orphans", SECONDS)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/healthz", timeout=5)
        server.start()  # at once, on the same port
        assert httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200


def test_a_build_and_a_training_end_with_a_killed_server(
    home_settings: Settings, documents: list[dict[str, Any]]
) -> None:
    with Server(home_settings) as server:
        httpx.put(f"{server.url}/v1/documents", json=documents, timeout=30).raise_for_status()
        (supervisor,) = children(server.process_id)
        httpx.post(f"{server.url}/v1/training-runs", json={}, timeout=30).raise_for_status()
        wait_until(lambda: bool(children(supervisor)), "nothing trains")
        (training,) = children(supervisor)
        httpx.post(f"{server.url}/v1/index/builds", timeout=30).raise_for_status()
        started = descendants(server.process_id)
        assert {supervisor, training} < started

        server.kill()

        wait_until(lambda: not any(map(runs, started)), "orphans", SECONDS)
