"""What lists and the events about them become."""

from __future__ import annotations

import sqlalchemy as sa

from collector.join.consumer import Consumer
from collector.join.evidence import evidence_digest
from collector.tables import events, evidence
from foundation.database.engine import reading
from foundation.eventlog.embedded import EmbeddedLog
from tests.feedback import append, count, event, evidence_of, impression
from tests.integration.consumer.conftest import _recounted, fold, passed_over


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


def test_a_late_event_is_kept_but_not_folded(any_engine: sa.Engine) -> None:
    fold(any_engine, impression("q1"), event("e1", "click", "q1", "a", days=7), event("e2", "click", "q1", "b", days=8))

    assert (evidence_of(any_engine, "a").users, evidence_of(any_engine, "b").users) == (1, 0)
    assert count(any_engine, events) == 2
