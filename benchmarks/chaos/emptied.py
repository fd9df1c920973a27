"""Everything deleted, an index built of nothing, everything put anew: a collection that goes on answering."""

from __future__ import annotations

from typing import Any

import httpx

from benchmarks.harness.fixtures import build_index, index
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from foundation.clock import monotonic_s

_AT_ONCE = 500
_ASKED = 20
_DEPTH = 10


def measure(documents: list[dict[str, Any]], queries: list[str]) -> list[Bar]:
    """Return how a service takes "delete everything, build, put everything anew"."""
    asked = queries[:_ASKED]
    with bench_settings() as settings, Server(settings) as server:
        index(server.remote, documents)
        before = [_ids(server.url, query) for query in asked]
        for start in range(0, len(documents), _AT_ONCE):
            ids = [document["id"] for document in documents[start : start + _AT_ONCE]]
            server.remote.delete("/v1/documents", ids)
        build_index(server.remote)
        empty = [_search(server.url, query) for query in asked]
        began_s = monotonic_s()
        index(server.remote, documents)
        took_s = monotonic_s() - began_s
        build_index(server.remote)
        after = [_ids(server.url, query) for query in asked]
    failed = sum(not answer.is_success or bool(answer.json()["hits"]) for answer in empty)
    same = sum(one == other for one, other in zip(before, after, strict=True)) / len(asked)
    said = f"everything deleted and built anew, {len(documents)} documents"
    return [
        at_most(
            "chaos.emptied_failures", f"{said}: searches of the empty collection not answered by nothing", failed, 0
        ),
        at_least("chaos.emptied_same", f"{said}: queries whose first ten are what they were, share", same, 1.0),
        at_most("chaos.recovery_s", f"{said}: seconds until all is found again", took_s, 60.0),
    ]


def _search(url: str, query: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/search", json={"query": query, "k": _DEPTH, "log": False}, timeout=30)


def _ids(url: str, query: str) -> list[str]:
    return [hit["id"] for hit in _search(url, query).raise_for_status().json()["hits"]]
