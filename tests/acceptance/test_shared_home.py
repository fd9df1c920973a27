"""Two replicas start at once on one new home, each the first process of its container, and neither harms the other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickloop.cli.demo.background_service import free_port
from foundation.settings import Settings
from tests.namespaces import ALONE, need_namespaces
from tests.unit.serving.encode.test_export import make_small_transformer

TIMEOUT_S = 300.0  # the encoder's export takes two minutes of a busy machine


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@contextmanager
def replica(settings: Settings) -> Iterator[str]:
    """Run a replica in a pid namespace of its own and give its address; it may not answer yet."""
    port = free_port()
    command = [*ALONE, sys.executable, "-m", "clickloop", "serve", "--role", "api", "--port", str(port)]
    with (settings.home / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | settings.to_environment(), stdout=log, stderr=log)  # noqa: S603  ours
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def state(url: str) -> dict[str, Any]:
    try:
        told = httpx.get(f"{url}/readyz", timeout=10)
    except httpx.TransportError:
        return {}
    return told.json() if told.status_code == 200 else {}


def found(url: str, query: str) -> list[str]:
    answer = httpx.post(f"{url}/v1/search", json={"query": query, "log": False}, timeout=10)
    return [hit["id"] for hit in answer.json().get("hits", [])] if answer.status_code == 200 else []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_replicas_in_containers_share_a_new_home(tmp_path: Path) -> None:
    need_namespaces()
    home = tmp_path / "home"
    home.mkdir()
    settings = Settings(home=home, model=str(make_small_transformer(tmp_path / "model")), log_level="warning")
    with replica(settings) as one, replica(settings) as other:
        urls = (one, other)
        wait_until(lambda: all(state(url).get("status") == "ready" for url in urls), "they do not start")
        httpx.put(f"{one}/v1/documents", json={"id": "kettle", "title": "kettle"}).raise_for_status()
        wait_until(lambda: all("kettle" in found(url, "kettle") for url in urls), "the first document is not found")
        httpx.post(f"{other}/v1/index/builds").raise_for_status()
        wait_until(lambda: all(state(url)["collections"]["default"]["snapshot"] for url in urls), "no snapshot serves")
        with replica(settings) as late:  # removes what the dead left, while the others serve
            wait_until(lambda: state(late).get("status") == "ready", "the third does not start")
            httpx.put(f"{one}/v1/documents", json={"id": "ladder", "title": "ladder"}).raise_for_status()
            everybody = (*urls, late)
            wait_until(lambda: all("ladder" in found(url, "ladder") for url in everybody), "a later one is not found")
            assert [len(list((home / name).iterdir())) for name in ("replicas", "servers")] == [3, 3]
            assert all(httpx.get(f"{url}/metrics").status_code == 200 for url in everybody)
    assert not list(home.rglob(".draft-*"))
