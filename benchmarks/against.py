"""Compares this tree with another commit: both serve side by side and are asked in turn."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.fixtures import get_collection, index
from benchmarks.harness.report import Findings, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from benchmarks.ingest.feed import Feed
from benchmarks.ingest.throughput import BATCH, await_joined
from foundation.clock import FrozenClock, SystemClock, monotonic_s
from simulator.collection import JudgedCollection
from simulator.quality import ndcg

DOCUMENTS = 2500
BLOCKS = 30
QUICK_BLOCKS = 4
_SEARCHES = 40
_VOLLEYS = 5
_QUICK_VOLLEYS = 1
_BATCHES = 12
_GLANCE_S = 0.05
_LISTS = 4000
_BOUND = 1.05

Row = tuple[Any, ...]


def run(revision: str, folder: Path | None, seed: int, quick: bool) -> Findings:
    """Return how this tree's searches, intake, quality and evidence stand to those of `revision`.

    Both run on this machine at the same time and are asked in alternating blocks, so that a change of the
    machine's speed meets both.
    """
    collection = get_collection(folder, quick)
    documents = collection.documents[:DOCUMENTS]
    queries = np.random.default_rng(seed).permutation(sorted(set(collection.queries.values()))).tolist()
    with (
        _checkout(revision) as tree,
        bench_settings() as mine,
        bench_settings() as theirs,
        Server(mine) as server,
        Server(theirs, tree=tree) as other,
    ):
        both = (server, other)
        for one in both:
            index(one.remote, documents)
        quality = [_quality(one.url, collection, {document["id"] for document in documents}) for one in both]
        times = _time_searches(both, queries, QUICK_BLOCKS if quick else BLOCKS)
        rows = [_teach(one, seed) for one in both]
        rates = _time_intake(both, seed, _QUICK_VOLLEYS if quick else _VOLLEYS)
    differing = _differing(*rows)
    p50 = [median(median(block) for block in blocks) for blocks in times]
    said = f"this tree by {revision}"
    return Findings(
        [
            at_most("against.search_p50", f"median of a search, {said}", p50[0] / p50[1], _BOUND),
            at_least(
                "against.ingest_rate",
                f"lists and events a second, taken in and joined, {said}",
                rates[0] / rates[1],
                1 / _BOUND,
            ),
            at_least("against.ndcg", f"nDCG@10 of the judged queries, {said}, difference", quality[0] - quality[1], 0),
            at_most("against.evidence", f"columns of the evidence that differ, {said}", len(differing), 0),
        ],
        {
            "median of a search, ms": [round(1000 * one, 2) for one in p50],
            "lists and events a second": [round(one) for one in rates],
            "nDCG@10": [round(one, 4) for one in quality],
            "rows of evidence that differ, by column": differing,
        },
    )


@contextmanager
def _checkout(revision: str) -> Iterator[Path]:
    """Give a checkout of a commit in a folder that goes away afterwards."""
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), revision], check=True)  # noqa: S603, S607  git, and a commit the operator named
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=True)  # noqa: S603, S607  as above


def _time_searches(servers: tuple[Server, Server], queries: list[str], blocks: int) -> list[list[list[float]]]:
    """Return the seconds of searches by server and block; who begins changes from block to block."""
    times: list[list[list[float]]] = [[], []]
    clients = [httpx.Client(base_url=server.url, timeout=30) for server in servers]
    for block in range(-1, blocks):
        asked = [queries[(block * _SEARCHES + turn) % len(queries)] for turn in range(_SEARCHES)]
        for place in (0, 1) if block % 2 else (1, 0):
            took = [_time(clients[place], query, f"person-{block}-{turn}") for turn, query in enumerate(asked)]
            if block >= 0:  # the one before warms up
                times[place].append(took)
    for client in clients:
        client.close()
    return times


def _time(client: httpx.Client, query: str, user: str) -> float:
    began_s = monotonic_s()
    client.post("/v1/search", json={"query": query, "user": user}).raise_for_status()
    return monotonic_s() - began_s


def _time_intake(servers: tuple[Server, Server], seed: int, volleys: int) -> list[float]:
    """Return the median rate of each server: lists and their events a second, from the first sent to the last joined.

    Both are sent, for what a list costs when it comes and what it costs when it is clicked are one choice.
    """
    rates: list[list[float]] = [[], []]
    feeds = [Feed(seed + 1, SystemClock()) for _ in servers]
    for turn in range(volleys + 1):
        for place in (0, 1) if turn % 2 else (1, 0):
            took_s = _feed(servers[place], feeds[place])
            if turn:  # the one before warms up
                rates[place].append(2 * _BATCHES * BATCH / took_s)
    return [median(some) for some in rates]


def _feed(server: Server, feed: Feed) -> float:
    """Send batches of lists and of events in turn, and return the seconds until all are joined."""
    bodies = [(feed.rankings(BATCH), feed.events(BATCH)) for _ in range(_BATCHES)]
    with _database(server) as connection:
        joined = _count_joined(connection) + 2 * _BATCHES * BATCH
        began_s = monotonic_s()
        for lists, events in bodies:
            server.remote.post("/feedback", lists)
            server.remote.post("/v1/events", events)
        while _count_joined(connection) < joined:
            time.sleep(_GLANCE_S)
        return monotonic_s() - began_s


def _count_joined(connection: sqlite3.Connection) -> int:
    counted = connection.execute("SELECT (SELECT count(*) FROM impressions) + (SELECT count(*) FROM events)")
    return int(counted.fetchone()[0])


@contextmanager
def _database(server: Server) -> Iterator[sqlite3.Connection]:
    """Give a connection that only reads the database of a server."""
    path = server.settings.resolved_database_url().removeprefix("sqlite:///")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def _quality(url: str, collection: JudgedCollection, indexed: set[str]) -> float:
    """Return the mean nDCG@10 of the held-out queries that have a right document in the index."""
    judged = {
        query: {document: grade for document, grade in grades.items() if document in indexed}
        for query, grades in collection.split("test").items()
    }
    judged = {query: grades for query, grades in judged.items() if any(grades.values())}
    with httpx.Client(base_url=url, timeout=30) as client:
        found = {query: _ids(client, collection.queries[query]) for query in judged}
    return fmean(ndcg(judged, found).values())


def _ids(client: httpx.Client, query: str) -> list[str]:
    answer = client.post("/v1/search", json={"query": query, "log": False}).raise_for_status()
    return [hit["id"] for hit in answer.json()["hits"]]


def _teach(server: Server, seed: int) -> list[dict[str, Any]]:
    """Show the same lists to a server, each with a click; return the evidence of them as rows of columns."""
    feed = Feed(seed, FrozenClock(SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)))
    for _ in range(_LISTS // BATCH):
        lists = feed.rankings(BATCH)
        server.remote.post("/feedback", lists)
        server.remote.post("/feedback", [_click(one, place % len(one["items"])) for place, one in enumerate(lists)])
    await_joined(server)
    taught = "SELECT * FROM evidence WHERE document_id LIKE 'item-%' ORDER BY query_key, document_id, period"
    with _database(server) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(taught)]


def _click(shown: dict[str, Any], place: int) -> dict[str, Any]:
    about = {"ranking": shown["id"], "user": shown["user"], "timestamp": shown["timestamp"]}
    item = shown["items"][place]["id"]
    return {"event": "interaction", "id": f"{shown['id']}-click", "type": "click", "item": item, **about}


def _differing(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many rows differ, by column that both have; how many rows there are counts as a column."""
    common = sorted(mine[0].keys() & theirs[0].keys() - {"change"}) if mine and theirs else []
    counts = {
        name: sum(_plain(one[name]) != _plain(other[name]) for one, other in zip(mine, theirs, strict=False))
        for name in common
    }
    counts["rows"] = abs(len(mine) - len(theirs))
    return {name: count for name, count in counts.items() if count}


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] == "[" else value
