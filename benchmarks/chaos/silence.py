"""People who search and report nothing: no ranking may move by it."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.chaos.outages import lag
from benchmarks.harness.fixtures import index
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings
from foundation.clock import SystemClock, monotonic_s

_QUERIES = 25
_CLIENTS = 4
_HOUR_S = 3600.0
_DEPTH = 50
_DRAIN_S = 60.0

Ranking = list[tuple[str, float]]


def measure(documents: list[dict[str, Any]], queries: list[str], *, quick: bool) -> list[Bar]:
    """Return how many rankings an hour of searches without any event moves; the clock runs faster meanwhile."""
    seconds = 4.0 if quick else 60.0
    asked = queries[:_QUERIES]
    speed, origin = _HOUR_S / seconds, SystemClock().now()
    with bench_settings(clock_speed=speed, clock_origin=origin) as settings, Server(settings) as server:
        index(server.remote, documents)
        before = [_ranking(server.url, query) for query in asked]
        searches = _search_on(server.url, asked, seconds)
        deadline = monotonic_s() + _DRAIN_S
        while lag(server.url) and monotonic_s() < deadline:
            pass
        after = [_ranking(server.url, query) for query in asked]
    moved = sum(one != other for one, other in zip(before, after, strict=True))
    what = f"an hour, {searches} searches of {len(asked)} queries without any event: rankings or scores that moved"
    return [at_most("chaos.silence_moves", what, moved, 0)]


def _search_on(url: str, queries: list[str], seconds: float) -> int:
    """Search for some seconds under ever new names, under none, and as an agent; return how often."""
    ends_s = monotonic_s() + seconds
    turns = itertools.count()

    def work(_: int) -> int:
        done = 0
        with httpx.Client(base_url=url, timeout=30) as client:
            while monotonic_s() < ends_s:
                turn = next(turns)
                who = ({"user": f"quiet-{turn}"}, {}, {"surface": "agent"})[turn % 3]
                client.post("/v1/search", json={"query": queries[turn % len(queries)], **who}).raise_for_status()
                done += 1
        return done

    with ThreadPoolExecutor(_CLIENTS) as pool:
        return sum(pool.map(work, range(_CLIENTS)))


def _ranking(url: str, query: str) -> Ranking:
    answer = httpx.post(f"{url}/v1/search", json={"query": query, "k": _DEPTH, "log": False}, timeout=30)
    return [(hit["id"], hit["score"]) for hit in answer.raise_for_status().json()["hits"]]
