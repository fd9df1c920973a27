"""Kills the server (SIGKILL) during ingestion and during swaps, and counts what was lost or counted twice."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.damage import Damage, assess
from benchmarks.harness.fixtures import add_version, drain, get_collection, index, is_whole
from benchmarks.harness.report import Findings, at_most
from benchmarks.harness.server import Server, bench_settings
from benchmarks.harness.visitors import Acknowledged, Visitors
from clickloop.container import Container
from foundation.contracts import DEFAULT_COLLECTION, Manifest
from foundation.http_client import ServiceClient
from foundation.settings import Settings

KILLS = 10
QUICK_KILLS = 4
_PROBES = 5


def run(seed: int, quick: bool) -> Findings:
    """Return bar "loop.5" after ten kills (quick: four), half of them during a swap."""
    kills = QUICK_KILLS if quick else KILLS
    collection = get_collection(None, quick=True)
    queries = list(collection.queries.values())
    with bench_settings() as settings:
        damage, memory = crash(settings, collection.documents, queries, kills, seed)
    lost = damage.lost_events + damage.lost_searches
    wrong = damage.unknown_events + damage.miscounted + damage.replay_differs
    said = f"of {len(memory.events)} acknowledged events and {len(memory.searches)} searches, over {kills} kills"
    return Findings(
        [
            at_most("loop.5", f"lost {said}", lost, 0),
            at_most("loop.5", "lists and clicks counted wrongly, and differences to a replay", wrong, 0),
            at_most("loop.5", "answers after a restart that no whole version gave", damage.broken_answers, 0),
        ],
        {"requests sent again": memory.retries},
    )


def crash(
    settings: Settings, documents: list[dict[str, Any]], queries: list[str], kills: int, seed: int
) -> tuple[Damage, Acknowledged]:
    """Return what `kills` kills did to a service over the empty home of `settings`, and what its clients know.

    Four clients search and report all the time. Every second kill comes up to 0.4 s after a
    promotion or rollback was asked for; the others at any moment of ingestion.
    """
    random = np.random.default_rng(seed)
    server = Server(settings)
    container = Container(settings)
    with server:
        index(server.remote, documents)
        manifests = {
            name: container.registry.get(DEFAULT_COLLECTION, name).manifest for name in _two_versions(container, seed)
        }
        _swap(server.url, min(manifests))
        visitors = Visitors(server.url, queries, seed)
        try:
            broken = sum(_kill(server, manifests, queries, random, number) for number in range(kills))
        finally:
            memory = visitors.stop()
        drain(container)
    damage = assess(container, memory, broken)
    container.log.close()
    container.engine.dispose()
    return damage, memory


def _two_versions(container: Container, seed: int) -> list[str]:
    return [add_version(container, seed + number) for number in range(2)]


def _kill(
    server: Server, manifests: dict[str, Manifest], queries: list[str], random: np.random.Generator, number: int
) -> int:
    """Kill the server at a random moment and start it again; return how many broken answers it gives first."""
    time.sleep(random.uniform(0.2, 1.2))
    if number % 2:
        champion = server.remote.get("/v1/versions")["champion"]
        wanted = next(name for name in sorted(manifests) if name != champion)
        threading.Thread(target=_swap, args=(server.url, wanted), daemon=True).start()
        time.sleep(random.uniform(0.0, 0.4))
    server.kill()
    server.start()
    asked = [queries[place] for place in random.integers(len(queries), size=_PROBES).tolist()]
    return sum(not is_whole(_ask(server.remote, query), manifests) for query in asked)


def _swap(url: str, version: str) -> None:
    with suppress(httpx.TransportError):  # killed meanwhile: either it moved the pointer or it did not
        httpx.post(f"{url}/v1/versions/{version}/promote", timeout=10)


def _ask(remote: ServiceClient, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = remote.post("/v1/search", {"query": query, "explain": True, "log": False})
    return answer
