"""The process that the server supervises collects beside it, comes again when it dies, and never outlives it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.harness.server import Server, children
from foundation.settings import Settings

TIMEOUT_S = 60.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def folded(url: str) -> float:
    """Return how many records all processes of the server folded, by its page of metrics."""
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("clickloop_folded_records_total"))


def click(url: str) -> None:
    query = httpx.post(f"{url}/v1/search", json={"query": "print envelope"}, timeout=30).json()
    event = {"type": "click", "query_id": query["query_id"], "document_id": query["hits"][0]["id"]}
    httpx.post(f"{url}/v1/events", json=event, timeout=30).raise_for_status()


def test_what_dies_beside_the_server_comes_again_and_what_it_counts_is_on_one_page(
    home_settings: Settings, documents: list[dict[str, Any]]
) -> None:
    with Server(home_settings) as server:
        httpx.put(f"{server.url}/v1/documents", json=documents, timeout=30).raise_for_status()
        wait_until(lambda: server.remote.get("/readyz")["collections"].get("default", {}).get("version"), "none")
        click(server.url)
        wait_until(lambda: folded(server.url) >= 2, "what was clicked is not joined")

        (supervisor,) = children(server.process_id)
        os.kill(supervisor, signal.SIGKILL)
        click(server.url)
        wait_until(lambda: folded(server.url) >= 4, "nobody took over")
        (heir,) = children(server.process_id)
        assert heir != supervisor

        server.kill()
        wait_until(lambda: not runs(heir), "it outlives a server that was killed")
