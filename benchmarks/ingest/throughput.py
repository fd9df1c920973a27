"""Bar 1: how many events a second are taken in and joined, and what ten million stored ones change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import sqlalchemy as sa

from benchmarks.harness.load import Volley, quantile_ms, shoot
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server, children
from benchmarks.ingest.feed import Feed
from benchmarks.search.service import resident_mib
from foundation.clock import monotonic_s
from foundation.http_client import ServiceClient

BATCH = 500
_LISTS = 40_000
_SENDERS = 2
_CONNECTIONS = 32
_MAX_BATCHES = 30.0
_MAX_SINGLES = 2500.0
_JOINED_RATE = 2000
_LISTS_SHARE = 0.2
_SMALL_BATCH = 100
_DRAIN_S = 600.0
_ROUND = 50_000
_LAG = "clickloop_consumer_lag_records"

Tell = Callable[[str], None]


def prepare(server: Server, feed: Feed) -> None:
    """Show the lists that events will be about, and wait until they are stored."""
    for _ in range(_LISTS // BATCH):
        server.remote.post("/feedback", feed.rankings(BATCH))
    await_joined(server)


def measure_batches(server: Server, feed: Feed, seconds: float) -> tuple[float, Volley]:
    """Return the events a second taken in by batches of 500."""
    bodies = [feed.events(BATCH) for _ in range(int(seconds * _MAX_BATCHES))]
    volley = shoot(server.url, "/v1/events", bodies, clients=_SENDERS, seconds=seconds)
    return BATCH * len(volley.answered()) / volley.seconds, volley


def measure_singles(server: Server, feed: Feed, seconds: float) -> tuple[float, Volley]:
    """Return the requests of one event a second that 32 connections get answered."""
    bodies = feed.events(int(seconds * _MAX_SINGLES))
    volley = shoot(server.url, "/v1/events", bodies, clients=_CONNECTIONS, seconds=seconds)
    return len(volley.answered()) / volley.seconds, volley


def measure_lag(server: Server, feed: Feed, seconds: float) -> tuple[float, dict[str, Any]]:
    """Return how many seconds joining is behind at most while 2,000 lists and clicks a second come."""
    shown = int(_SMALL_BATCH * _LISTS_SHARE)
    bodies = [
        feed.rankings(shown) + feed.interactions(_SMALL_BATCH - shown)
        for _ in range(int(1.2 * seconds * _JOINED_RATE / _SMALL_BATCH))
    ]
    waiting: list[float] = []
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(server.url, waiting, ended))
    watch.start()
    volley = shoot(server.url, "/feedback", bodies, rate=_JOINED_RATE / _SMALL_BATCH, seconds=seconds)
    ended.set()
    watch.join()
    taken = _SMALL_BATCH * len(volley.answered()) / volley.seconds
    return max(waiting) / _JOINED_RATE, {
        "taken a second": round(taken),
        "waiting records, each second": [round(one) for one in waiting],
        "99th percentile of its requests, ms": round(quantile_ms(volley.answered(), 0.99), 1),
        "failed": len(volley.failed()) + len(volley.refused()),
    }


def measure_memory(server: Server, feed: Feed, count: int, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return whether the memory of the consumer stays what it is while so many events are folded."""
    prepare(server, feed)
    resident: list[float] = []
    taken = 0
    while taken < count:
        bodies = [feed.events(BATCH) for _ in range(_ROUND // BATCH)]
        for body in bodies:
            server.remote.post("/v1/events", body)
        taken += _ROUND
        await_joined(server)
        resident.append(sum(resident_mib(process) for process in children(server.process_id)))
        tell(f"{taken} events, {resident[-1]:.0f} MiB")
    settled = resident[len(resident) // 5 :]  # the first fifth fills caches
    spread = max(settled) / min(settled) - 1
    what = f"spread of the consumer's resident memory over {taken:,} events, share of the least"
    return [at_most("ingest.8", what, spread, 0.2)], {"consumer, MiB": [round(one) for one in resident]}


def compare_filled(before: float, after: float, stored: int) -> Bar:
    """Return the bar on the throughput beside `stored` events."""
    what = f"events a second in batches beside {stored:,} stored ones, share of that at zero"
    return at_least("ingest.1", what, after / before, 0.7)


def rate_bars(batches: tuple[float, Volley], singles: tuple[float, Volley]) -> list[Bar]:
    """Return the bars on SQLite's rates."""
    failed = sum(len(volley.failed()) + len(volley.refused()) for _, volley in (batches, singles))
    return [
        at_least("ingest.1", "events a second in batches of 500, SQLite", batches[0], 10_000),
        at_least("ingest.1", "single events a second at 32 connections, SQLite", singles[0], 1000),
        at_most("ingest.1", "99th percentile of their replies, ms", quantile_ms(singles[1].answered(), 0.99), 100),
        at_most("ingest.1", "requests refused or failed", failed, 0),
    ]


def await_joined(server: Server) -> float:
    """Wait until every record is folded; return the seconds that took, infinite after ten minutes."""
    began = monotonic_s()
    quiet = 0
    while monotonic_s() - began < _DRAIN_S:
        quiet = quiet + 1 if read_lag(server.remote) == 0 else 0
        if quiet > 2:  # the figure is a second old
            return monotonic_s() - began
        time.sleep(1.0)
    return float("inf")


def read_lag(remote: ServiceClient) -> float:
    """Return how many records of the log wait to be folded."""
    return _lag_of(httpx.get(f"{remote.url}/metrics", timeout=30).text)


def store_events(engine: sa.Engine, count: int) -> None:
    """Fill SQLite's table of events with so many of an earlier time, spread over the index as real ids are."""
    fill = """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
        INSERT INTO events (collection, id, type, query_id, body, at, received_at)
        SELECT 'default', printf('%08x-filled', n * (4294967295 / :count)), 'click',
               printf('%08x-list', (n / 4) * (4294967295 / :count) * 4),
               json_object('document_id', 'item-' || (n % 5000), 'user', 'user-' || (n % 20000), 'value', 0.0),
               '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
        FROM numbers"""
    with engine.begin() as connection:
        connection.execute(sa.text(fill), {"count": count})


def _watch(url: str, waiting: list[float], ended: threading.Event) -> None:
    while not ended.wait(1.0):
        waiting.append(_lag_of(httpx.get(f"{url}/metrics", timeout=30).text))


def _lag_of(page: str) -> float:
    return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(_LAG)), 0.0)
