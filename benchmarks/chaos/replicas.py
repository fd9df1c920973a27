"""Two replicas in process namespaces of their own, as containers have them, on one home."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from benchmarks.harness.fixtures import build_index, index
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings
from clickloop.cli.demo.background_service import free_port
from foundation.clock import monotonic_s
from foundation.http_client import ServiceClient
from foundation.settings import Settings

_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
_READY_TIMEOUT_S = 180.0
_FOUND_TIMEOUT_S = 30.0
_ROUNDS = 3
_LOOK_S = 0.1
_STOP_TIMEOUT_S = 20.0

_LOAD = "clickloop_requests_total"


def can_isolate() -> bool:
    """Return whether this machine lets a process have a process namespace of its own."""
    done = subprocess.run([*_NAMESPACE, "true"], check=False, capture_output=True)  # noqa: S603  a fixed command
    return done.returncode == 0


def measure(documents: list[dict[str, Any]]) -> list[Bar]:
    """Return whether both replicas find every new document, and keep their metrics, while one is started again."""
    blind, silent, refused = 0, 0, 0
    with bench_settings() as settings, Server(settings, ["--role", "api"]) as first:
        index(first.remote, documents)
        for turn in range(_ROUNDS):
            with _isolated(settings) as second, _isolated(settings) as third:
                build_index(first.remote)
                for number, url in enumerate((second, third)):
                    name = f"new-{turn}-{number}"
                    first.remote.put_lines("/v1/documents", f'{{"id": "{name}", "title": "{name}", "text": "{name}"}}')
                    blind += sum(not _finds(replica, name) for replica in (first.url, second, third))
                    silent += _LOAD not in httpx.get(f"{url}/metrics", timeout=10).text
                    refused += not httpx.get(f"{url}/readyz", timeout=10).is_success
    said = f"three replicas on one home, two in process namespaces of their own, {_ROUNDS} starts"
    return [
        at_most("chaos.replicas_blind", f"{said}: new documents that a replica does not find within 30 s", blind, 0),
        at_most("chaos.replicas_silent", f"{said}: replicas without metrics, or not ready", silent + refused, 0),
    ]


@contextmanager
def _isolated(settings: Settings) -> Iterator[str]:
    """Give the URL of a replica in a process namespace of its own."""
    port = free_port()
    mine = settings.model_copy(update={"port": port, "host": "127.0.0.1"})
    with (settings.home / "isolated.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  this interpreter and arguments of the bench
            [*_NAMESPACE, sys.executable, "-m", "clickloop", "serve", "--role", "api"],
            env=os.environ | mine.to_environment(),
            stdout=log,
            stderr=log,
        )
    remote = ServiceClient(f"http://127.0.0.1:{port}")
    try:
        remote.await_ready(_READY_TIMEOUT_S)
        yield remote.url
    finally:
        remote.close()
        process.kill()  # which ends everything inside
        process.wait(_STOP_TIMEOUT_S)


def _finds(url: str, name: str) -> bool:
    deadline = monotonic_s() + _FOUND_TIMEOUT_S
    while monotonic_s() < deadline:
        answer = httpx.post(f"{url}/v1/search", json={"query": name, "log": False}, timeout=30)
        if answer.is_success and any(hit["id"] == name for hit in answer.json()["hits"]):
            return True
        time.sleep(_LOOK_S)
    return False
