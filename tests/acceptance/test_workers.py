"""Several processes answer as one: they share a snapshot, converge on a version, and drain when they end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from benchmarks.harness.fixtures import add_version
from benchmarks.harness.server import Server
from clickloop.container import Container
from foundation.settings import Settings

TIMEOUT_S = 100.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def ask(url: str) -> dict[str, Any]:
    """Search over a connection of its own, so that any of the processes may answer."""
    reply = httpx.post(f"{url}/v1/search", json={"query": "print envelope", "log": False}, timeout=30)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_processes_share_a_snapshot_converge_and_drain(
    home_settings: Settings, documents: list[dict[str, Any]]
) -> None:
    container = Container(home_settings)
    with Server(home_settings, ["--workers", "2"]) as server:
        for one in documents:
            httpx.put(f"{server.url}/v1/documents", json=one).raise_for_status()
        assert httpx.post(f"{server.url}/v1/index/builds").status_code == 202
        wait_until(lambda: all(state(server.url)["snapshot"] for _ in range(10)), "no snapshot serves everywhere")
        version = add_version(container, 1)
        httpx.post(f"{server.url}/v1/versions/{version}/promote", json={}).raise_for_status()
        wait_until(lambda: {ask(server.url)["version"] for _ in range(20)} == {version}, "they do not converge")
        assert len(replicas(server.url)) == 2
        assert {ask(server.url)["hits"][0]["id"] for _ in range(10)} == {"print-envelope"}
        with ThreadPoolExecutor(8) as pool:
            under_way = [pool.submit(ask, server.url) for _ in range(40)]
            server.stop()
            answered = [one for one in under_way if one.exception() is None]
        assert answered
        assert not [
            one for one in under_way if one.exception() and not isinstance(one.exception(), httpx.TransportError)
        ]
    container.engine.dispose()


def state(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/v1/index", timeout=30).json()
    return found


def replicas(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/v1/versions", timeout=30).json()["replicas"]
    return found


def test_the_doctor_reads_a_healthy_service_and_finds_one_that_does_not_answer(
    home_settings: Settings, documents: list[dict[str, Any]]
) -> None:
    with Server(home_settings) as server:
        server.remote.put_lines("/v1/documents", "\n".join(json.dumps(one) for one in documents))
        wait_until(lambda: state(server.url).get("waiting") == 0, "documents wait")
        healthy = call_doctor(home_settings, server.url)
        url = server.url
    gone = call_doctor(home_settings, url)

    assert healthy.returncode == 0, healthy.stdout
    assert json.loads(healthy.stdout)[0]["subject"] == "collection default"
    assert gone.returncode == 1
    assert "no service answers" in json.loads(gone.stdout)[0]["what"]


def call_doctor(settings: Settings, url: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "clickloop", "doctor", "--url", url, "--json"]
    return subprocess.run(command, env=settings.to_environment() | {"PATH": ""}, capture_output=True, check=False)  # noqa: S603  our own command
