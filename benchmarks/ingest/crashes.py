"""Bar 2: kills of the server and of the consumer under load; what is lost, counted twice, or counted otherwise."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.harness.broker import has_broker, kafka_broker
from benchmarks.harness.damage import Damage, assess
from benchmarks.harness.fixtures import drain, get_collection, index
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings, children
from benchmarks.harness.visitors import Acknowledged, Visitors
from clickloop.container import Container
from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.tables import events, impressions
from foundation.contracts import DEFAULT_COLLECTION, FeedbackEvent, Impression, ShownResult
from foundation.database import schema
from foundation.database.engine import make_engine, reading, transaction
from foundation.settings import Settings

KILLS = 20
QUICK_KILLS = 4
_AT_ONCE = 500

Tell = Callable[[str], None]


def measure(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return what kills at seeded moments do, every second one to the consumer; embedded log, then Kafka."""
    kills = QUICK_KILLS if quick else KILLS
    tell(f"{kills} kills, embedded log")
    with bench_settings() as settings:
        bars, details = _measure_log("embedded log", settings, kills, seed)
    if has_broker():
        tell(f"{kills} kills, Kafka")
        with kafka_broker() as bootstrap, bench_settings(kafka_bootstrap=bootstrap) as settings:
            more, other = _measure_log("Kafka", settings, kills, seed)
        bars, details = bars + more, details | other
    return bars, details


def _measure_log(log: str, settings: Settings, kills: int, seed: int) -> tuple[list[Bar], dict[str, Any]]:
    damage, memory, otherwise = _crash(settings, kills, seed)
    said = f"{log}: of {len(memory.events)} acknowledged events and {len(memory.searches)} searches, {kills} kills"
    wrong = damage.unknown_events + damage.miscounted
    return [
        at_most("ingest.2", f"lost, {said}", damage.lost_events + damage.lost_searches, 0),
        at_most("ingest.2", f"counted twice or wrongly, {said}", wrong, 0),
        at_most("ingest.2", f"{log}: digests that differ, of a replay's and of an undisturbed run's", otherwise, 0),
    ], {f"{log}, requests sent again": memory.retries}


def _crash(settings: Settings, kills: int, seed: int) -> tuple[Damage, Acknowledged, int]:
    collection = get_collection(None, quick=True)
    random = np.random.default_rng(seed)
    server, container = Server(settings), Container(settings)
    with server:
        index(server.remote, collection.documents)
        visitors = Visitors(server.url, list(collection.queries.values()), seed)
        try:
            for number in range(kills):
                time.sleep(random.uniform(0.2, 1.5))
                _kill(server, consumer=bool(number % 2))
        finally:
            memory = visitors.stop()
        drain(container)
    folded = evidence_digest(container.engine, DEFAULT_COLLECTION)
    undisturbed = _fold_anew(container)
    damage = assess(container, memory, broken=0)
    container.log.close()
    container.engine.dispose()
    return damage, memory, damage.replay_differs + int(undisturbed != folded)


def _kill(server: Server, *, consumer: bool) -> None:
    if consumer:
        for process in children(server.process_id):
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(process, signal.SIGKILL)
        return  # the server starts it again
    server.kill()
    server.start()


def _fold_anew(container: Container) -> str:
    """Return the evidence's digest when everything stored is folded in order, in a database of its own."""
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        engine = make_engine(f"sqlite:///{folder}/clickloop.db")
        schema.upgrade(engine)
        records = sorted(_stored(container), key=lambda record: record.at)
        for start in range(0, len(records), _AT_ONCE):
            with transaction(engine) as connection:
                fold_batch(connection, records[start : start + _AT_ONCE], container.settings)
        digest = evidence_digest(engine, DEFAULT_COLLECTION)
        engine.dispose()
        return digest


def _stored(container: Container) -> Iterator[Impression | FeedbackEvent]:
    with reading(container.engine) as connection:
        for row in connection.execute(sa.select(impressions)):
            yield Impression(
                collection=row.collection,
                query_id=row.query_id,
                query=row.query,
                unit=row.unit,
                version=row.version,
                results=tuple(ShownResult(**result) for result in row.results),
                at=row.at,
                experiment=row.experiment,
                arm=row.arm,
                surface=row.surface,
            )
        for row in connection.execute(sa.select(events)):
            yield FeedbackEvent(
                row.collection, row.id, row.type, row.query_id, at=row.at, received_at=row.received_at, **row.body
            )
