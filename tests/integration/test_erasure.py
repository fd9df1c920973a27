"""An erased person is gone from everything that is kept, exactly, and the receipt proves it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from collector.join.batch import fold_batch
from collector.join.consumer import Consumer
from collector.join.evidence import evidence_digest
from collector.join.people import hold
from collector.join.replay import replay
from collector.privacy.erasure import SWEPT_AFTER, Eraser, sweep
from collector.tables import dead_letters, erasures, events, evidence, impressions
from foundation.clock import FrozenClock
from foundation.contracts import EventType, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.errors import NotFound
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record
from foundation.eventlog.records import event_record, impression_record
from foundation.registry.tables import versions
from foundation.settings import Settings
from retrainer.tables import training_runs
from retrainer.timetable import ErasureRetraining
from tests.conftest import START
from tests.people import PRIVACY

SETTINGS = Settings(_env_file=None)
ANNA, BERT = PRIVACY.person("anna"), PRIVACY.person("bert")
Content = Impression | FeedbackEvent


def shown(query_id: str, unit: str = ANNA, query: str = "toner", at: datetime = START) -> Impression:
    results = tuple(ShownResult(document_id, rank, 1.0 / rank) for rank, document_id in enumerate("abc", 1))
    return Impression("default", query_id, query, unit, "v-1", results, at)


def did(number: str, query_id: str, user: str = ANNA, kind: EventType = "click", at: datetime = START) -> FeedbackEvent:
    return FeedbackEvent("default", number, kind, query_id, "a", user, 5.0 if kind == "rating" else 0.0, at, at)


def record_of(content: Content) -> Record:
    return impression_record(content) if isinstance(content, Impression) else event_record(content)


def fold(engine: sa.Engine, *content: Content) -> int:
    with transaction(engine) as connection:
        return fold_batch(connection, content, SETTINGS)


def count(engine: sa.Engine, table: sa.Table) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(table)))


@pytest.fixture
def eraser(any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock) -> Eraser:
    clock.advance(timedelta(hours=1))
    return Eraser(any_engine, log, PRIVACY.pseudonyms, SETTINGS, clock)


def test_nothing_of_the_person_is_left(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"), did("e1", "q1"), shown("q2", BERT), did("e2", "q2", BERT), did("e3", "q2", ANNA))

    receipt = eraser.erase("default", "anna")

    assert receipt.person == ANNA
    assert receipt.counts == {"impressions": 1, "events": 2, "evidence": 3, "dead_letters": 0, "log_records": 0}
    assert [row.query_id for row in rows(any_engine, impressions)] == ["q2"]
    assert [row.id for row in rows(any_engine, events)] == ["e2"]


def test_a_search_that_a_session_was_drawn_for_goes_with_the_user_and_with_the_session(
    any_engine: sa.Engine, eraser: Eraser
) -> None:
    session = PRIVACY.person("s1")
    drawn = [replace(shown(f"q-{unit}", unit), drawn_by=session) for unit in (ANNA, BERT)]
    fold(any_engine, *drawn)

    assert eraser.erase("default", "anna").counts["impressions"] == 1
    receipt = eraser.erase("default", "s1")
    assert receipt.counts["impressions"] == 1
    assert eraser.audit("default", receipt.id).remaining["impressions"] == 0
    fold(any_engine, *drawn)
    assert count(any_engine, impressions) == 0


def test_events_without_a_user_go_with_the_list_they_are_about(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"), did("e1", "q1", user=""))

    assert eraser.erase("default", "anna").counts["events"] == 1


def test_what_others_did_stays_counted_and_no_more(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"), did("e1", "q1"), shown("q2", BERT), did("e2", "q2", BERT))

    eraser.erase("default", "anna")

    (row,) = (row for row in rows(any_engine, evidence) if row.document_id == "a")
    assert (row.users, row.shown[0], row.clicked[0]) == (1, 1, 1)


CONTENT = st.lists(
    st.builds(shown, st.sampled_from(["q1", "q2", "q3", "q4"]), st.sampled_from([ANNA, BERT]), st.just("toner"))
    | st.builds(
        did,
        st.sampled_from([f"e{number}" for number in range(8)]),
        st.sampled_from(["q1", "q2", "q3", "q4"]),
        st.sampled_from([ANNA, BERT, ""]),
        st.sampled_from(["click", "rating", "conversion", "resolved", "abandon"]),
    ),
    max_size=24,
)


@given(CONTENT)
@property_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_evidence_is_what_a_recount_without_the_person_gives(
    any_engine: sa.Engine, eraser: Eraser, content: list[Content]
) -> None:
    with transaction(any_engine) as connection:
        for table in (events, impressions, evidence, erasures):
            connection.execute(sa.delete(table))
    fold(any_engine, *content)

    eraser.erase("default", "anna")
    left = evidence_digest(any_engine, "default")

    replay(any_engine, "default", SETTINGS)
    assert evidence_digest(any_engine, "default") == left
    assert all(row.unit != ANNA for row in rows(any_engine, impressions))
    assert all(row.body["user"] != ANNA for row in rows(any_engine, events))


def test_what_waits_in_the_log_is_deleted(
    any_engine: sa.Engine, log: EmbeddedLog, eraser: Eraser, clock: FrozenClock
) -> None:
    log.append([record_of(one) for one in (shown("q1"), did("e1", "q1"), shown("q2", BERT))]).result(10)

    assert eraser.erase("default", "anna").counts["log_records"] == 2
    Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock).step()
    assert [row.query_id for row in rows(any_engine, impressions)] == ["q2"]


def test_what_the_log_could_not_delete_is_dropped_when_it_is_read(any_engine: sa.Engine, eraser: Eraser) -> None:
    eraser.erase("default", "anna")

    assert fold(any_engine, shown("q1"), did("e1", "q1"), shown("q2", BERT), did("e2", "q2", ANNA)) == 3
    assert (count(any_engine, impressions), count(any_engine, events)) == (1, 0)


def test_who_comes_back_after_the_erasure_is_counted_again(
    any_engine: sa.Engine, eraser: Eraser, clock: FrozenClock
) -> None:
    receipt = eraser.erase("default", "anna")
    later = clock.now() + timedelta(seconds=1)

    assert fold(any_engine, shown("q1", at=later), did("e1", "q1", at=later)) == 0
    assert not any(eraser.audit("default", receipt.id).remaining.values())


def test_a_clock_that_runs_ahead_does_not_outlive_the_erasure(any_engine: sa.Engine, eraser: Eraser) -> None:
    ahead = FeedbackEvent("default", "e1", "click", "q1", "a", ANNA, 0.0, START + timedelta(hours=2), START)
    eraser.erase("default", "anna")

    assert fold(any_engine, ahead) == 1


def test_another_collection_is_another_place(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"))

    assert eraser.erase("other", "anna").counts["impressions"] == 0
    assert count(any_engine, impressions) == 1


def test_dead_letters_of_the_person_go_too(any_engine: sa.Engine, eraser: Eraser) -> None:
    bodies = {"1": record_of(shown("q1")).body, "2": record_of(shown("q2", BERT)).body}
    letters = [{"id": key, "collection": "default", "reason": "", "body": bodies[key], "at": START} for key in bodies]
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(dead_letters), letters)

    assert eraser.erase("default", "anna").counts["dead_letters"] == 1
    assert [row.id for row in rows(any_engine, dead_letters)] == ["2"]


def test_a_pseudonym_names_the_same_person(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"))

    assert eraser.erase("default", ANNA).counts["impressions"] == 1


def test_somebody_unknown_gets_a_receipt_too(eraser: Eraser) -> None:
    receipt = eraser.erase("default", "nobody")

    assert set(receipt.counts.values()) == {0}
    assert eraser.audit("default", receipt.id).genuine


def test_a_receipt_can_be_checked_later_and_names_nobody(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"), did("e1", "q1"))

    receipt = eraser.erase("default", "anna")
    audit = eraser.audit("default", receipt.id)

    assert (audit.receipt, audit.genuine) == (receipt, True)
    assert audit.remaining == {"impressions": 0, "events": 0, "dead_letters": 0}
    assert all("anna" not in str(row) for row in rows(any_engine, erasures))


def test_a_receipt_tells_what_came_back_from_a_backup(any_engine: sa.Engine, eraser: Eraser) -> None:
    fold(any_engine, shown("q1"), did("e1", "q1"))
    with transaction(any_engine) as connection:
        saved = [dict(row._mapping) for row in connection.execute(sa.select(events))]
    receipt = eraser.erase("default", "anna")
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(events), saved)

    assert eraser.audit("default", receipt.id).remaining["events"] == 1


def test_a_receipt_that_was_changed_is_not_genuine(any_engine: sa.Engine, eraser: Eraser) -> None:
    receipt = eraser.erase("default", "anna")
    with transaction(any_engine) as connection:
        connection.execute(sa.update(erasures).values(versions=["v-other"]))

    assert not eraser.audit("default", receipt.id).genuine


def test_an_unknown_receipt_is_not_found(eraser: Eraser) -> None:
    with pytest.raises(NotFound, match="no receipt 'r-1'"):
        eraser.audit("default", "r-1")


def test_replicas_hear_of_it_before_the_query_itself_is_deleted(
    any_engine: sa.Engine, eraser: Eraser, clock: FrozenClock
) -> None:
    fold(any_engine, shown("q1", query="a rare question"), did("e1", "q1"))
    fold(any_engine, shown("q2", BERT), did("e2", "q2", BERT))
    eraser.erase("default", "anna")

    sweep(any_engine, clock.now())
    soon = {row.query_key for row in rows(any_engine, evidence)}
    sweep(any_engine, clock.now() + SWEPT_AFTER + timedelta(seconds=1))
    later = {row.query_key for row in rows(any_engine, evidence)}

    assert (soon, later) == ({"a rare question", "toner"}, {"toner"})


def test_evidence_that_others_founded_since_is_not_swept(
    any_engine: sa.Engine, eraser: Eraser, clock: FrozenClock
) -> None:
    fold(any_engine, shown("q1"))
    eraser.erase("default", "anna")
    fold(any_engine, shown("q2", BERT), did("e2", "q2", BERT))

    sweep(any_engine, clock.now() + SWEPT_AFTER + timedelta(seconds=1))

    assert count(any_engine, evidence) == 3


@pytest.mark.parametrize("between", ["held", "replayed"])
def test_the_query_goes_whatever_made_its_evidence_zero(
    any_engine: sa.Engine, eraser: Eraser, clock: FrozenClock, between: str
) -> None:
    fold(any_engine, shown("q1", query="a rare question"), shown("q2", BERT), did("e2", "q2", BERT))
    if between == "held":
        with transaction(any_engine) as connection:
            told = {"reasons": [], "score": 1.0, "since": START, "released_by": "", "released_at": None}
            hold(connection, "default", [{"unit": ANNA, **told}], SETTINGS)
    eraser.erase("default", "anna")
    if between == "replayed":
        replay(any_engine, "default", SETTINGS)

    sweep(any_engine, clock.now() + SWEPT_AFTER + timedelta(seconds=1))

    assert {row.query_key for row in rows(any_engine, evidence)} == {"toner"}


def register(engine: sa.Engine, version: str, as_of: datetime | None) -> None:
    lineage = {"data_as_of": as_of.isoformat()} if as_of else {}
    row = {"collection": "default", "id": version, "parent": "", "status": "retired", "reason": "", "manifest": {}}
    row |= {"name": version}
    with transaction(engine) as connection:
        connection.execute(
            sa.insert(versions), [row | {"lineage": lineage, "metrics": {}, "created_at": as_of or START}]
        )


def test_versions_that_may_have_learned_are_named_and_wanted_anew(
    any_engine: sa.Engine, eraser: Eraser, clock: FrozenClock
) -> None:
    register(any_engine, "v-untuned", None)
    register(any_engine, "v-before", START - timedelta(days=1))
    register(any_engine, "v-after", START + timedelta(minutes=1))
    fold(any_engine, shown("q1"))
    erasure_retraining = ErasureRetraining(any_engine)
    due_before = erasure_retraining.due()

    receipt = eraser.erase("default", "anna")

    assert receipt.versions == ["v-after"]
    assert (due_before, erasure_retraining.due()) == ([], ["default"])
    assert erasure_retraining.tainted("default") == {"v-after"}
    _request_run(any_engine, clock.now() + timedelta(seconds=1))
    assert erasure_retraining.due() == []


def test_erasing_somebody_from_whom_nothing_was_learned_wants_no_training(
    any_engine: sa.Engine, eraser: Eraser
) -> None:
    register(any_engine, "v-after", START + timedelta(minutes=1))
    eraser.erase("default", "nobody")

    assert ErasureRetraining(any_engine).due() == []


def _request_run(engine: sa.Engine, at: datetime) -> None:
    row = {"collection": "default", "id": "r", "state": "active", "step": "train", "autopilot": True, "version": ""}
    row |= {"name": "r"}
    with transaction(engine) as connection:
        connection.execute(
            sa.insert(training_runs), [row | {"experiment": "", "report": {}, "requested_at": at, "updated_at": at}]
        )
