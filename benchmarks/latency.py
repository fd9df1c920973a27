"""Times searches over HTTP with one client, and how soon clicks change a ranking."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.fixtures import get_collection, index
from benchmarks.harness.report import Findings, at_most
from benchmarks.harness.server import Server, bench_settings
from foundation.clock import monotonic_s

DOCUMENTS = 2500
SEARCHES = 2000
QUICK_SEARCHES = 300
_WARM_UP = 50
_TURNED_QUERIES = 10
_AGREEING_USERS = 8
_CLICKED_PLACE = 3
_DEPTH = 100
_EFFECT_TIMEOUT_S = 10.0
_SETTLE_S = 1.0


def run(folder: Path | None, seed: int, quick: bool) -> Findings:
    """Return bars "loop.7" (time of a search) and "loop.8" (time from clicks to their effect).

    Over 2,500 documents of the collection in `folder`; quick: over those that quick benches take.
    """
    collection = get_collection(folder, quick)
    documents = collection.documents[:DOCUMENTS]
    random = np.random.default_rng(seed)
    queries = random.permutation(sorted(set(collection.queries.values()))).tolist()
    with bench_settings() as settings, Server(settings) as server:
        index(server.remote, documents)
        with httpx.Client(base_url=server.url, timeout=30.0) as client:
            asked = (QUICK_SEARCHES if quick else SEARCHES) + _WARM_UP
            times_ms = [_time_search_ms(client, query, place) for place, query in enumerate(queries[:asked])][_WARM_UP:]
            stages_ms = _mean_stages_ms(client)
            effects_s = [_effect_s(client, query) for query in queries[-_TURNED_QUERIES:]]
    p50, p99 = np.quantile(times_ms, [0.5, 0.99]).tolist()
    said = f"of {len(times_ms)} searches over {len(documents)} documents, one client, ms"
    return Findings(
        [
            at_most("loop.7", f"median {said}", p50, 12.0),
            at_most("loop.7", f"99th percentile {said}", p99, 40.0),
            at_most("loop.8", f"slowest of {len(effects_s)} effects of clicks, seconds", max(effects_s), 1.0),
        ],
        {
            "mean ms by stage": stages_ms,
            "mean ms of all": round(float(np.mean(times_ms)), 2),
            "mean seconds to effect": round(float(np.mean(effects_s)), 3),
        },
    )


def _time_search_ms(client: httpx.Client, query: str, place: int) -> float:
    began_s = monotonic_s()
    client.post("/v1/search", json={"query": query, "user": f"user-{place}"}).raise_for_status()
    return 1000 * (monotonic_s() - began_s)


def _mean_stages_ms(client: httpx.Client) -> dict[str, float]:
    """Return the mean milliseconds of every stage since the server's start."""
    samples = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[:1] != "#")
    sums = {name.split('"')[1]: float(value) for name, value in samples.items() if _names_stage(name, "sum")}
    counts = {name.split('"')[1]: float(value) for name, value in samples.items() if _names_stage(name, "count")}
    return {stage: round(1000 * total / counts[stage], 3) for stage, total in sums.items()}


def _names_stage(sample: str, kind: str) -> bool:
    return sample.startswith(f"clickloop_stage_seconds_{kind}{{")


def _effect_s(client: httpx.Client, query: str) -> float:
    """Return the seconds from several users' agreeing clicks to a better rank of what they clicked.

    All of them have seen it, and that has taken effect, before the first click is reported. Ends
    after ten seconds.
    """
    answers = [_search(client, query, f"agreeing-{person}") for person in range(_AGREEING_USERS)]
    time.sleep(_SETTLE_S)
    settled = _rank_all(client, query)
    clicked = _choose(settled, [_ids(answer) for answer in answers])
    seen = [answer["query_id"] for answer in answers if clicked in _ids(answer)]
    clicks = [{"type": "click", "query_id": query_id, "document_id": clicked} for query_id in seen]
    client.post("/v1/events", json=clicks).raise_for_status()
    began_s = monotonic_s()
    while _place(_rank_all(client, query), clicked) >= _place(settled, clicked):
        if monotonic_s() - began_s >= _EFFECT_TIMEOUT_S:
            break
        time.sleep(0.01)
    return monotonic_s() - began_s


def _choose(settled: list[str], lists: list[list[str]]) -> str:
    """Return the fourth of the ranked documents that most users have seen."""
    counts = Counter(name for shown in lists for name in shown)
    common = [name for name in settled if counts[name] > _AGREEING_USERS // 2]
    return common[min(_CLICKED_PLACE, len(common) - 1)]


def _place(ranking: list[str], document: str) -> int:
    return ranking.index(document) if document in ranking else len(ranking)


def _ids(answer: dict[str, Any]) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def _search(client: httpx.Client, query: str, user: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/search", json={"query": query, "user": user}).raise_for_status().json()
    return answer


def _rank_all(client: httpx.Client, query: str) -> list[str]:
    body = {"query": query, "k": _DEPTH, "log": False}
    return _ids(client.post("/v1/search", json=body).raise_for_status().json())
