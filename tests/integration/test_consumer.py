"""What the log holds counts exactly once, in whatever order, number and state it arrives."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from collector.join.batch import fold_batch
from collector.join.consumer import Consumer
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.tables import events, evidence, impressions
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import reading, transaction
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record, Subscription
from tests.feedback import SETTINGS, append, count, event, evidence_of, impression


class FailingOnce:
    """A subscription whose first commit fails after the effect is written, as a crash would."""

    def __init__(self, inner: Subscription, problem: Exception) -> None:
        self._inner = inner
        self._problems = [problem]

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        return self._inner.poll(max_records, min(timeout_s, 0.01))

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        self._inner.commit(connection, records)
        if self._problems:
            raise self._problems.pop()

    def lag(self) -> int:
        return self._inner.lag()

    def progress(self) -> int:
        return self._inner.progress()

    def rewind(self) -> None:
        self._inner.rewind()

    def close(self) -> None:
        self._inner.close()


def fold(engine: sa.Engine, *content: Impression | FeedbackEvent) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def test_a_click_becomes_evidence(any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer) -> None:
    append(log, impression("q1", query="  Toner  BLACK "), event("e1", "click", "q1", "b"))

    assert consumer.step() == 2

    row = evidence_of(any_engine, "b")
    assert (row.query_key, row.period, row.users) == ("toner black", 2922, 1)
    assert (row.shown[:3], row.clicked[:3]) == ((0, 1, 0), (0, 1, 0))
    assert evidence_of(any_engine, "a").clicked == (0,) * 20


def test_an_event_waits_for_its_impression(any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer) -> None:
    append(log, event("e1", "click", "q1", "a"))
    consumer.step()
    waiting = count(any_engine, evidence)
    append(log, impression("q1"))
    consumer.step()

    assert waiting == 0
    assert evidence_of(any_engine, "a").users == 1


def test_ratings_conversions_and_dwell_reach_the_evidence(any_engine: sa.Engine) -> None:
    fold(
        any_engine,
        impression("q1"),
        event("e1", "rating", "q1", "a", 5),
        event("e2", "rating", "q1", "a", 1, seconds=5),
    )
    fold(any_engine, event("e3", "conversion", "q1", "b", 20), event("e4", "dwell", "q1", "c", 3))

    a, b, c = (evidence_of(any_engine, document_id) for document_id in "abc")
    assert (a.ratings, a.rating_sum, a.satisfied, a.dissatisfied) == (1, 1, 0, 1)
    assert (b.conversions, b.satisfied) == (1, 1)
    assert (c.satisfied, c.dissatisfied) == (0, 1)


def test_repeats_count_once(any_engine: sa.Engine) -> None:
    shown, click = impression("q1"), event("e1", "click", "q1", "a")
    fold(any_engine, shown, click, shown, click)
    once = evidence_digest(any_engine, "default")
    fold(any_engine, click, shown)

    assert evidence_digest(any_engine, "default") == once
    assert (count(any_engine, events), count(any_engine, impressions)) == (1, 1)


def test_collections_do_not_mix(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), impression("q1", collection="other"), event("e1", "click", "q1", "a"))

    assert evidence_of(any_engine, "a").users == 1
    with reading(any_engine) as connection:
        assert set(connection.execute(sa.select(evidence.c.collection)).scalars()) == {"default"}


def test_a_busy_user_counts_with_three_lists(any_engine: sa.Engine) -> None:
    shown = [impression(f"q{n:02}", minutes=n) for n in range(20)]
    fold(any_engine, *reversed(shown), *(event(f"e{n:02}", "click", f"q{n:02}", "a") for n in range(20)))

    row = evidence_of(any_engine, "a")
    assert (row.shown[0], row.clicked[0], row.users) == (3, 3, 1)


def test_an_earlier_list_that_comes_later_takes_its_place(any_engine: sa.Engine) -> None:
    fold(any_engine, *(impression(f"q{n}", minutes=n) for n in (1, 2, 3)), event("e3", "click", "q3", "a"))
    fold(any_engine, impression("q0", minutes=0))

    row = evidence_of(any_engine, "a")
    assert (row.shown[0], row.clicked[0], row.users) == (3, 0, 0)


def test_distinct_users_add_up(any_engine: sa.Engine) -> None:
    fold(any_engine, *(impression(f"q{n}", unit=f"u{n}") for n in range(5)))
    fold(any_engine, *(event(f"e{n}", "click", f"q{n}", "c") for n in range(4)))

    row = evidence_of(any_engine, "c")
    assert (row.shown[2], row.clicked[2], row.users) == (4, 4, 4)


def test_a_later_click_shows_that_lists_before_it_were_looked_at(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), impression("q2", query="paper", minutes=9))
    assert count(any_engine, evidence) == 0
    fold(any_engine, event("e1", "click", "q2", "b"))

    assert passed_over(any_engine, "toner") == {"a": 1, "b": 1, "c": 1}
    assert evidence_digest(any_engine, "default") == _recounted(any_engine)


def test_each_click_looks_back_to_the_one_before(any_engine: sa.Engine) -> None:
    fold(any_engine, *(impression(f"q{n}", query=f"query {n}", minutes=n) for n in range(9)))
    for number in (8, 3, 5):
        fold(any_engine, event(f"e{number}", "click", f"q{number}", "a"))
    fold(any_engine, impression("late", query="query 10", minutes=4), impression("last", query="query 11", minutes=11))

    assert {key for key in map("query {}".format, range(12)) if passed_over(any_engine, key)} == {
        *map("query {}".format, range(9)),
        "query 10",
    }
    assert evidence_digest(any_engine, "default") == _recounted(any_engine)


def test_a_click_in_another_week_or_of_another_person_shows_nothing(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), impression("q2", query="paper", minutes=8 * 24 * 60))
    fold(any_engine, impression("q3", query="ink", unit="u2", minutes=5))
    fold(any_engine, event("e2", "click", "q2", "a", days=8), event("e3", "click", "q3", "a"))

    assert passed_over(any_engine, "toner") == {}


def test_nameless_searches_are_counted_apart(any_engine: sa.Engine) -> None:
    fold(any_engine, *(impression(f"q{n}", unit=f"q{n}", minutes=n) for n in range(4)), impression("q9"))
    fold(any_engine, *(event(f"e{n}", "click", f"q{n}", "a") for n in (1, 3, 9)))

    with reading(any_engine) as connection:
        rows = connection.execute(sa.select(evidence).where(evidence.c.document_id == "a")).all()
    assert {row.nameless: (row.shown[0], row.users) for row in rows} == {False: (1, 1), True: (2, 2)}
    assert evidence_digest(any_engine, "default") == _recounted(any_engine)


def passed_over(engine: sa.Engine, query: str) -> dict[str, int]:
    statement = sa.select(evidence).where(evidence.c.query_key == query)
    with reading(engine) as connection:
        return {row.document_id: sum(row.shown) for row in connection.execute(statement)}


def _recounted(engine: sa.Engine) -> str:
    replay(engine, "default", SETTINGS)
    return evidence_digest(engine, "default")


def test_a_late_event_is_kept_but_not_folded(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), event("e1", "click", "q1", "a", days=7), event("e2", "click", "q1", "b", days=8))

    assert (evidence_of(any_engine, "a").users, evidence_of(any_engine, "b").users) == (1, 0)
    assert count(any_engine, events) == 2


def test_readers_find_what_changed_since(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), impression("q2", query="paper"), event("e0", "click", "q1", "a"))
    seen = _last_change(any_engine)
    fold(any_engine, event("e1", "click", "q2", "a"))

    with reading(any_engine) as connection:
        statement = sa.select(evidence.c.query_key, evidence.c.document_id).where(evidence.c.change > seen)
        assert {tuple(row) for row in connection.execute(statement)} == {("paper", document) for document in "abc"}


def _last_change(engine: sa.Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.max(evidence.c.change))).scalar_one())


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


def _world() -> list[Impression | FeedbackEvent]:
    """Twelve lists of three users and two queries over two weeks, more of nobody, an agent and a silent person,
    and all that was done with them."""
    shown = [
        impression(f"q{n}", query=("toner", "paper")[n % 2], unit=f"u{n % 3}", minutes=n * 1200) for n in range(12)
    ]
    done = [event(f"c{n}-{doc}", "click", f"q{n}", doc, seconds=n) for n in range(12) for doc in "abz" if n % 3]
    rest = [
        event("r1", "rating", "q1", "a", 5),
        event("r2", "rating", "q1", "a", 2, seconds=9),
        event("d1", "dwell", "q2", "b", 45),
        event("d2", "dwell", "q2", "b", 5),
        event("s1", "resolved", "q4"),
        event("s2", "unresolved", "q4", seconds=99),
        event("s3", "resolved", "q5"),
        event("v1", "conversion", "q7", "c", 12),
        event("l1", "click", "q0", "c", days=30),
        event("w1", "click", "never-shown", "a"),
        event("n1", "click", "nameless-1", "b"),
        event("n2", "seen", "nameless-2", "c"),
        event("g1", "click", "agent-1", "c"),
        event("g2", "rating", "agent-2", "a", 5),
        event("p1", "seen", "silent-2", "b"),
        event("p2", "dwell", "silent-2", "b", 99),
    ]
    others = [
        *(impression(f"nameless-{n}", unit=f"nameless-{n}", minutes=n) for n in range(3)),
        *(impression(f"agent-{n}", unit="agent", surface="agent", minutes=n) for n in range(3)),
        *(impression(f"silent-{n}", unit="silent", minutes=n) for n in range(4)),
    ]
    return [*shown, *others, *done, *rest]


@pytest.fixture
def founded(engine: sa.Engine) -> str:
    fold(engine, *_world())
    return evidence_digest(engine, "default")


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


def _moved(content: Iterable[Impression | FeedbackEvent], collection: str) -> Iterator[Impression | FeedbackEvent]:
    for one in content:
        names = [name for name in one.__dataclass_fields__ if name != "collection"]
        yield type(one)(collection=collection, **{name: getattr(one, name) for name in names})


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
