"""The part `rank`: the time of POST /v1/rank over HTTP, for candidates that no catalog has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings
from foundation.clock import monotonic_s

CANDIDATES = 100
REQUESTS, QUICK_REQUESTS = 1000, 200
BOUND_MS = 10.0
_WARM_UP = 50
_QUERIES = 40
_ITEMS = 2000
_PEOPLE = 3

Tell = Callable[[str], None]


def measure_ranking(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return how long an engine's list takes, before anything is known of its collection and with clicks."""
    random = np.random.default_rng(seed)
    asked = QUICK_REQUESTS if quick else REQUESTS
    bars, medians = [], {}
    with bench_settings() as settings, Server(settings) as server, httpx.Client(base_url=server.url) as client:
        for what, clicks in (("without evidence", False), ("with clicks", True)):
            tell(f"ranking {what}")
            if clicks:
                _click(client, random)
            took = [_time_ms(client, _list(random)) for _ in range(asked + _WARM_UP)][_WARM_UP:]
            medians[what] = {"p50 ms": float(np.median(took)), "p99 ms": float(np.quantile(took, 0.99))}
            said = f"median of {asked} requests with {CANDIDATES} candidates, one client, {what}, ms"
            bars.append(at_most("search.rank", said, float(np.median(took)), BOUND_MS))
    return bars, medians


def _list(random: np.random.Generator) -> dict[str, Any]:
    """Return what an engine found for one of some queries."""
    items = random.choice(_ITEMS, CANDIDATES, replace=False).tolist()
    scores = np.sort(random.gamma(2.0, 3.0, CANDIDATES))[::-1].tolist()
    candidates = [{"id": f"sku-{item}", "score": score} for item, score in zip(items, scores, strict=True)]
    number = int(random.integers(_QUERIES))
    return {"query": f"toner of kind {number}", "user": f"u-{int(random.integers(1000))}", "candidates": candidates}


def _click(client: httpx.Client, random: np.random.Generator) -> None:
    """Let a few people click the fifth of a list, for every query."""
    for number in range(_QUERIES):
        asked = _list(random) | {"query": f"toner of kind {number}"}
        for person in range(_PEOPLE):
            answer = client.post("/v1/rank", json=asked | {"user": f"p-{person}"}).raise_for_status().json()
            event = {"type": "click", "query_id": answer["query_id"], "document_id": asked["candidates"][4]["id"]}
            client.post("/v1/events", json=event | {"user": f"p-{person}"}).raise_for_status()


def _time_ms(client: httpx.Client, body: dict[str, Any]) -> float:
    began_s = monotonic_s()
    client.post("/v1/rank", json=body).raise_for_status()
    return 1000 * (monotonic_s() - began_s)
