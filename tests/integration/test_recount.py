"""Evidence that the release before counted by its rules is counted again when the collector starts, once."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import pytest
import sqlalchemy as sa

from collector.fold.outcomes import NO_OUTCOME
from collector.join.consumer import Consumer
from collector.join.evidence import evidence_digest
from collector.join.people import Traces, forget
from collector.join.replay import replay
from collector.join.retention_watermark import marked_for_recount
from collector.join.rows import event_row, impression_row
from collector.quarantine.quarantine import Quarantine
from collector.tables import events, evidence, impressions
from foundation.clock import FrozenClock
from foundation.contracts import CURVE_RANKS
from foundation.database import schema
from foundation.database.engine import reading, transaction
from foundation.database.tables import counters
from foundation.eventlog.embedded import EmbeddedLog
from tests.feedback import SETTINGS, append, count, event, impression

BEFORE = "0010"
LATER = frozenset(
    ("drawn_by", "run", "plan_hash", "first_difference", "had_evidence", "known", "took_ms", "change", "forced_clicks")
)
"""Columns of lists and events that later releases added."""


def store_as_before(engine: sa.Engine) -> None:
    """Store a silent list and one with a click, and what the release before made of both."""
    schema.downgrade(engine, BEFORE)
    shown = [impression("q1"), impression("q2", unit="u2"), impression("q3", query="paper", unit="u3")]
    lists = [_of_before(impression_row(one, NO_OUTCOME, 0)) for one in shown]
    said = dict.fromkeys(("users", "satisfied", "dissatisfied", "rating_sum", "ratings", "conversions", "change"), 9)
    ones = (1,) * CURVE_RANKS
    key = {"collection": "default", "period": 2922, "document_id": "a"}
    rows = [key | said | {"query_key": query, "shown": ones, "clicked": ones} for query in ("toner", "paper")]
    with transaction(engine) as connection:
        connection.execute(sa.insert(_table_before(impressions)), lists)
        clicks = [_of_before(event_row(event("e1", "click", "q1", "a"), 0))]
        connection.execute(sa.insert(_table_before(events)), clicks)
        connection.execute(sa.insert(sa.table("evidence", *_columns_before(evidence, {"nameless"}))), rows)
    schema.upgrade(engine)


def _of_before(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in LATER}


def _table_before(table: sa.Table) -> sa.TableClause:
    """Return a table as it was before its later columns."""
    return sa.table(table.name, *_columns_before(table, LATER))


def _columns_before(table: sa.Table, later: Set[str]) -> list[sa.ColumnClause[Any]]:
    return [sa.column(one.name, one.type) for one in table.c if one.name not in later]


def test_evidence_of_the_release_before_is_counted_again(any_engine: sa.Engine, consumer: Consumer) -> None:
    store_as_before(any_engine)
    before = evidence_digest(any_engine, "default")

    consumer.step()

    after = evidence_digest(any_engine, "default")
    assert after != before
    with reading(any_engine) as connection:
        names = list(connection.execute(sa.select(counters.c.name)).scalars())
    assert "recount:default" not in names
    replay(any_engine, "default", SETTINGS)
    assert evidence_digest(any_engine, "default") == after


def test_a_collection_that_cannot_be_counted_holds_up_nobody(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    store_as_before(any_engine)
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(counters), [{"name": "recount:a first one", "value": 1}])
        bad = impression_row(impression("q1", collection="a first one"), NO_OUTCOME, 0) | {"outcome": {"clicked": None}}
        connection.execute(sa.insert(impressions), [bad])
    append(log, impression("new", collection="new"), event("new", "click", "new", "a", collection="new"))

    assert consumer.step() == 2

    with reading(any_engine) as connection:
        assert marked_for_recount(connection) == ["a first one"]


@pytest.mark.parametrize("act", ["hold", "forget"])
def test_nothing_is_taken_out_of_counts_by_other_rules(any_engine: sa.Engine, clock: FrozenClock, act: str) -> None:
    store_as_before(any_engine)

    if act == "hold":
        Quarantine(any_engine, SETTINGS, clock).hold("default", "u1")
    else:
        with transaction(any_engine) as connection:
            forget(connection, "default", Traces(["q1"], {}), SETTINGS)

    after = evidence_digest(any_engine, "default")
    replay(any_engine, "default", SETTINGS)
    assert evidence_digest(any_engine, "default") == after


def test_a_whole_replay_is_a_count_too(any_engine: sa.Engine) -> None:
    store_as_before(any_engine)
    marked = count(any_engine, counters)

    replay(any_engine, "default", SETTINGS, since=impression("q1").at)
    assert count(any_engine, counters) == marked + 1, "the change number of the collection, and still the mark"
    replay(any_engine, "default", SETTINGS)
    assert count(any_engine, counters) == marked
