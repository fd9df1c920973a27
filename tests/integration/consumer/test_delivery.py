"""What the log delivers counts exactly once, through crashes, repeats and any order."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from collector.join.consumer import Consumer
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.tables import events, evidence, impressions
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.eventlog.embedded import EmbeddedLog
from tests.feedback import SETTINGS, append, count, event, evidence_of, impression
from tests.integration.consumer.conftest import FailingOnce, _last_change, _moved, _world, fold


def test_repeats_count_once(any_engine: sa.Engine) -> None:
    shown, click = impression("q1"), event("e1", "click", "q1", "a")
    fold(any_engine, shown, click, shown, click)
    once = evidence_digest(any_engine, "default")
    fold(any_engine, click, shown)

    assert evidence_digest(any_engine, "default") == once
    assert (count(any_engine, events), count(any_engine, impressions)) == (1, 1)


def test_readers_find_what_changed_since(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), impression("q2", query="paper"), event("e0", "click", "q1", "a"))
    seen = _last_change(any_engine)
    fold(any_engine, event("e1", "click", "q2", "a"))

    with reading(any_engine) as connection:
        statement = sa.select(evidence.c.query_key, evidence.c.document_id).where(evidence.c.change > seen)
        assert {tuple(row) for row in connection.execute(statement)} == {("paper", document) for document in "abc"}


def test_replay_rebuilds_the_same_evidence(any_engine: sa.Engine) -> None:
    fold(any_engine, *_world())
    founded = evidence_digest(any_engine, "default")
    with transaction(any_engine) as connection:
        connection.execute(sa.update(evidence).values(users=77, satisfied=5))
        connection.execute(sa.update(impressions).values(clicks=9))
    spoiled = evidence_digest(any_engine, "default")

    assert replay(any_engine, "default", SETTINGS) == 22
    assert evidence_digest(any_engine, "default") == founded != spoiled


def test_replay_takes_away_what_is_no_longer_founded(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), event("e1", "click", "q1", "a"))
    with transaction(any_engine) as connection:
        connection.execute(sa.delete(events))

    replay(any_engine, "default", SETTINGS)

    row = evidence_of(any_engine, "a")
    assert (row.shown[0], row.clicked[0], row.users) == (0, 0, 0)


@property_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.uuids(version=4))
def test_any_order_and_repetition_of_deliveries_gives_the_same_evidence(
    engine: sa.Engine, founded: str, data: st.DataObject, name: Any
) -> None:
    world = _world()
    repeats = data.draw(st.lists(st.sampled_from(world), max_size=10))
    deliveries = data.draw(st.permutations(world + repeats))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(deliveries)), max_size=6)))
    collection = str(name)

    for start, end in zip([0, *cuts], [*cuts, len(deliveries)], strict=True):
        fold(engine, *_moved(deliveries[start:end], collection))

    assert evidence_digest(engine, collection) == founded
    replay(engine, collection, SETTINGS)
    assert evidence_digest(engine, collection) == founded


def test_a_crash_between_effect_and_commit_loses_and_doubles_nothing(
    any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock
) -> None:
    append(log, *_world())
    crashing = FailingOnce(log.subscribe("collector"), MemoryError("killed"))
    with pytest.raises(MemoryError):
        Consumer(any_engine, crashing, SETTINGS, clock).step()
    after_crash = (count(any_engine, events), count(any_engine, impressions), count(any_engine, evidence))

    restarted = Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock)
    taken = restarted.step()

    assert after_crash == (0, 0, 0)
    assert (taken, restarted.step()) == (len(_world()), 0)
    digest = evidence_digest(any_engine, "default")
    replay(any_engine, "default", SETTINGS)
    assert evidence_digest(any_engine, "default") == digest


def test_the_same_consumer_takes_a_failed_batch_again(
    any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock
) -> None:
    append(log, impression("q1"), event("e1", "click", "q1", "a"))
    failing = FailingOnce(log.subscribe("collector"), sa.exc.OperationalError("COMMIT", {}, Exception("disk full")))
    consumer = Consumer(any_engine, failing, SETTINGS, clock)
    with pytest.raises(sa.exc.OperationalError):
        consumer.step()

    assert consumer.step() == 2
    assert evidence_of(any_engine, "a").users == 1


def test_running_outlasts_a_database_that_is_away(any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock) -> None:
    append(log, impression("q1"), event("e1", "click", "q1", "a"))
    failing = FailingOnce(log.subscribe("collector"), sa.exc.OperationalError("COMMIT", {}, Exception("gone")))
    stop = threading.Event()
    running = threading.Thread(target=Consumer(any_engine, failing, SETTINGS, clock).run, args=(stop,))
    running.start()
    for _ in range(500):
        if count(any_engine, events):
            break
        stop.wait(0.01)
    stop.set()
    running.join(10)

    assert not running.is_alive()
    assert evidence_of(any_engine, "a").users == 1


def test_what_was_folded_is_looked_at_now_and_then(
    any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.join.consumer._REVIEW_EVERY_S", 0.0)
    stop = threading.Event()

    Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock, reviews=[stop.set]).run(stop)

    assert stop.is_set()


def _page(query_id: str, names: str, first_rank: int, **other: Any) -> Impression:
    results = tuple(ShownResult(name, rank, 0.1) for rank, name in enumerate(names, first_rank))
    return replace(impression(query_id, minutes=1), results=results, **other)


def test_a_further_page_goes_on_with_its_list(any_engine: sa.Engine) -> None:
    first, second = impression("q1"), _page("q1", "de", 4)
    fold(any_engine, first, event("e1", "click", "q1", "d"))
    fold(any_engine, second, event("e2", "click", "q1", "e"))

    assert count(any_engine, impressions) == 1
    assert [sum(evidence_of(any_engine, name).clicked) for name in "ade"] == [0, 1, 1]
    assert evidence_of(any_engine, "e").shown[4] == 1


def test_pages_count_alike_however_they_come(any_engine: sa.Engine) -> None:
    pages = [impression("q1"), _page("q1", "de", 4), _page("q1", "fa", 6)]
    records: list[Impression | FeedbackEvent] = [*pages, event("e1", "click", "q1", "f")]
    fold(any_engine, *records)
    together = evidence_digest(any_engine, "default")
    fold(any_engine, *records, records[2])
    assert evidence_digest(any_engine, "default") == together

    with transaction(any_engine) as connection:
        for table in (events, impressions, evidence):
            connection.execute(sa.delete(table))
    for record in records:
        fold(any_engine, record)
    assert evidence_digest(any_engine, "default") == together
    replay(any_engine, "default", SETTINGS)
    assert evidence_digest(any_engine, "default") == together
    assert sum(evidence_of(any_engine, "a").shown) == 1, "the document that moved keeps its rank"


def test_a_page_of_another_draw_speaks_for_no_side(any_engine: sa.Engine) -> None:
    first = replace(impression("q1"), experiment="x1", run=1, arm="interleaved", drawn_by="u1")
    fold(any_engine, first)
    other = _page("q1", "de", 4)
    fold(any_engine, replace(other, results=tuple(replace(one, team="treatment") for one in other.results)))

    with reading(any_engine) as connection:
        row = connection.execute(sa.select(impressions)).one()
    assert (row.experiment, [one["team"] for one in row.results]) == ("x1", [""] * 5)
