"""Lists and evidence of the release before take the keys of this one, and what was several queries is one."""

from __future__ import annotations

import sqlalchemy as sa

from collector.fold.outcomes import NO_OUTCOME
from collector.join.consumer import Consumer
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.join.retention_watermark import raise_watermark
from collector.join.rows import impression_row
from collector.tables import evidence, impressions
from foundation.clock import period_of
from foundation.contracts import CURVE_RANKS
from foundation.database import schema
from foundation.database.engine import reading, transaction
from tests.feedback import SETTINGS, SHOWN_AT, impression

SPELLINGS = {"Café crème": "café crème", "cafe\u0301 creme": "cafe\u0301 creme", "CAFE CREME": "cafe creme"}
KEY = "cafe creme"


BEFORE = "0014"
WEEK = period_of(SHOWN_AT)


def store_as_before(engine: sa.Engine, period: int) -> None:
    """Store a list and the evidence of each spelling, under the keys of the release before."""
    schema.downgrade(engine, BEFORE)
    lists = [
        impression_row(impression(f"q{number}", query=query, unit=f"u{number}"), NO_OUTCOME, 0) | {"query_key": key}
        for number, (query, key) in enumerate(SPELLINGS.items())
    ]
    counts = dict.fromkeys(("users", "satisfied", "dissatisfied", "rating_sum", "ratings", "conversions", "change"), 2)
    ones = (1,) * CURVE_RANKS
    place = {"collection": "default", "period": period, "document_id": "a", "nameless": False}
    rows = [place | counts | {"query_key": key, "shown": ones, "clicked": ones} for key in SPELLINGS.values()]
    with transaction(engine) as connection:
        for table, added in ((impressions, lists), (evidence, rows)):
            columns = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
            known = [{name: value for name, value in row.items() if name in columns} for row in added]
            then = sa.table(table.name, *(sa.column(one.name, one.type) for one in table.c if one.name in columns))
            connection.execute(sa.insert(then), known)
    schema.upgrade(engine)


def keys(engine: sa.Engine, table: sa.Table) -> set[str]:
    with reading(engine) as connection:
        return set(connection.execute(sa.select(table.c.query_key)).scalars())


def test_three_spellings_are_one_query_and_counted_again(any_engine: sa.Engine, consumer: Consumer) -> None:
    store_as_before(any_engine, WEEK)

    assert keys(any_engine, impressions) == {KEY}
    assert keys(any_engine, evidence) == {KEY}
    consumer.step()
    counted = evidence_digest(any_engine, "default")
    replay(any_engine, "default", SETTINGS)
    assert evidence_digest(any_engine, "default") == counted


def test_evidence_whose_events_are_gone_is_added_up(any_engine: sa.Engine, consumer: Consumer) -> None:
    store_as_before(any_engine, WEEK - 50)
    with transaction(any_engine) as connection:
        raise_watermark(connection, "default", WEEK)

    consumer.step()

    with reading(any_engine) as connection:
        (old,) = connection.execute(sa.select(evidence).where(evidence.c.period == WEEK - 50)).all()
    assert (old.query_key, old.users, old.shown[0], old.clicked[-1]) == (KEY, 6, 3, 3)


def test_the_release_before_finds_its_lists_again(any_engine: sa.Engine) -> None:
    store_as_before(any_engine, WEEK)

    schema.downgrade(any_engine, BEFORE)

    assert keys(any_engine, impressions) == set(SPELLINGS.values())
